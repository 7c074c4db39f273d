/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A turned grid of dots on black, like lamps: large where the picture is bright.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Print"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the dots", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "dots", "LABEL": "Dots along the short side", "TYPE": "float", "DEFAULT": 48, "MIN": 8, "MAX": 140},
    {"NAME": "angle", "LABEL": "Turn of the screen", "TYPE": "float", "DEFAULT": 0.07, "MIN": -1000, "MAX": 1000, "WRAP": true},
    {"NAME": "hit", "LABEL": "Swell of the dots", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "line", "LABEL": "Dots to lines", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "own", "LABEL": "In the picture's own colours", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1},
    {"NAME": "ink", "LABEL": "Ink", "TYPE": "color", "DEFAULT": [1.0, 0.86, 0.6, 1]},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.0, 0.0, 0.01, 1]}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y), side = unit / dots, c0 = sway(angle + 0.25), s0 = sway(angle);
    mat2 turn = mat2(c0, s0, -s0, c0);
    vec2 centre = 0.5 * RENDERSIZE, grid = (gl_FragCoord.xy - centre) * turn / side;
    vec2 middle = floor(grid) + 0.5, inside = grid - middle;
    vec2 at = turn * middle * side + centre;
    // along a line the picture is read where it is, across it at the line's middle
    at = mix(at, turn * vec2(grid.x, middle.y) * side + centre, line);
    vec3 c = IMG_NORM_PIXEL(inputImage, clamp(at / RENDERSIZE, 0.0, 1.0)).rgb;
    float value = max(c.r, max(c.g, c.b)), luma = dot(c, vec3(0.299, 0.587, 0.114));
    float radius = sqrt(mix(luma, value, 0.5)) * 0.62 * (1.0 + 0.5 * hit);
    float d = mix(length(inside), abs(inside.y), line) - radius * mix(1.0, 0.75, line);
    float cover = clamp(0.5 - d * side, 0.0, 1.0) * smoothstep(0.02, 0.1, value);
    vec3 lamp = mix(ink.rgb, c / max(value, 0.05) * (0.35 + 0.65 * value), own);
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(here.rgb, mix(ground.rgb, lamp, cover), amount), here.a);
}
