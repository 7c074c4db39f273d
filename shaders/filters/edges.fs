/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The picture's outlines as light on black, in its own colours or in two of yours.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Line"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to its outlines", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "gain", "LABEL": "Strength of the lines", "TYPE": "float", "DEFAULT": 0.75, "MIN": 0, "MAX": 1},
    {"NAME": "reach", "LABEL": "Width of the lines, in thousandths of the short side", "TYPE": "float", "DEFAULT": 1.8, "MIN": 0.5, "MAX": 8},
    {"NAME": "hit", "LABEL": "Flare of the lines", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "own", "LABEL": "In the picture's own colours", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "remain", "LABEL": "What remains of the picture between them", "TYPE": "float", "DEFAULT": 0.12, "MIN": 0, "MAX": 1},
    {"NAME": "weak", "LABEL": "Weak lines", "TYPE": "color", "DEFAULT": [0.1, 0.25, 0.9, 1]},
    {"NAME": "strong", "LABEL": "Strong lines", "TYPE": "color", "DEFAULT": [1.0, 0.75, 0.45, 1]}
  ]
}*/

void main() {
    vec2 uv = isf_FragNormCoord, d = 0.001 * reach * min(RENDERSIZE.x, RENDERSIZE.y) / RENDERSIZE;
    vec4 here = IMG_THIS_PIXEL(inputImage);
    // One-sided differences of all three channels: edges between equally bright colours count too.
    vec3 a = IMG_NORM_PIXEL(inputImage, uv + vec2(d.x, 0.0)).rgb - here.rgb;
    vec3 b = IMG_NORM_PIXEL(inputImage, uv + vec2(0.0, d.y)).rgb - here.rgb;
    float steep = (dot(a, a) + dot(b, b)) * (0.3 + 8.0 * gain * gain) * (1.0 + hit);
    float edge = steep / (0.16 + steep);  // quiet areas go black, strong lines do not burn out
    float value = max(here.r, max(here.g, here.b));
    vec3 pure = max(here.rgb, here.rgb + max(a, b)) / max(value, 0.25);
    vec3 line = mix(mix(weak.rgb, strong.rgb, edge), min(pure, 1.0), own) * edge;
    vec3 drawn = line + here.rgb * remain * (1.0 - edge);
    gl_FragColor = vec4(mix(here.rgb, drawn, amount), here.a);
}
