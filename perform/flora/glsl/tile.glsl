// Where a petal's painting lies: twelve large tiles in a row, above them rows of small ones, in 12ths and
// 4ths of the sheet.
vec4 tile(float number) {
    if (number < 12.0) return vec4(number / 12.0, 0.0, 1.0 / 12.0, 0.5);
    float place = number - 12.0;
    return vec4(mod(place, 24.0) / 24.0, 0.5 + 0.25 * floor(place / 24.0), 1.0 / 24.0, 0.25);
}
