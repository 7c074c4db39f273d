/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Film grain: strongest in the middle tones, none in black; new grain 24 times a second.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Texture"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Grain", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "size", "LABEL": "Size of a grain, in thousandths of the short side", "TYPE": "float", "DEFAULT": 2.2, "MIN": 1, "MAX": 10},
    {"NAME": "colour", "LABEL": "Silver to dye", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0, "MAX": 1},
    {"NAME": "sparkle", "LABEL": "Single bright grains, for hats", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1}
  ]
}*/

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

void main() {
    vec4 here = IMG_THIS_PIXEL(inputImage);
    float side = max(0.001 * size * min(RENDERSIZE.x, RENDERSIZE.y), 1.0);
    uint frame = uint(floor(TIME * 24.0));
    vec2 shift = vec2(word(frame) & 255u, word(frame + 1u) & 255u) / 256.0;
    // rows lie apart by thirds of a grain, so that large grains do not show a grid
    vec2 at = gl_FragCoord.xy / side + shift;
    at.x += 0.37 * mod(floor(at.y), 3.0);
    uint dice = word(uint(at.x) + word(uint(at.y) + 65536u * (frame & 255u)));
    vec3 noise = vec3(dice & 1023u, (dice >> 10u) & 1023u, (dice >> 20u) & 1023u) / 511.5 - 1.0;
    noise = mix(vec3(noise.x + noise.y) * 0.7, noise, colour);
    vec3 c = here.rgb, response = c * (1.25 - c);
    float lucky = (dice >> 22u) == 0u ? 1.0 : 0.0;
    c += noise * response * amount * 0.8;
    c += lucky * sparkle * (0.25 + 2.0 * here.rgb);
    gl_FragColor = vec4(c, here.a);
}
