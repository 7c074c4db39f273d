// Value noise that moves smoothly with its coordinates (quintic interpolation), 0 .. 1.
float dice(vec3 cell) {
    cell = fract(cell * vec3(0.1031, 0.1130, 0.0973));
    cell += dot(cell, cell.yxz + 33.33);
    return fract((cell.x + cell.y) * cell.z);
}

float noise(vec3 p) {
    vec3 cell = floor(p), f = fract(p);
    f = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
    vec2 e = vec2(0.0, 1.0);
    vec4 low = vec4(dice(cell), dice(cell + e.yxx), dice(cell + e.xyx), dice(cell + e.yyx));
    vec4 high = vec4(dice(cell + e.xxy), dice(cell + e.yxy), dice(cell + e.xyy), dice(cell + e.yyy));
    vec4 all = mix(low, high, f.z);
    vec2 pair = mix(all.xz, all.yw, f.x);
    return mix(pair.x, pair.y, f.y);
}
