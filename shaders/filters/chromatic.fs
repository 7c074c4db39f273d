/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Red and blue move away from green, along a line or from the centre.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Colour"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Shift", "TYPE": "float", "DEFAULT": 0.2, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "hit", "LABEL": "More of it, for hits", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "radial", "LABEL": "Along a line, or away from the centre", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1},
    {"NAME": "angle", "LABEL": "Turn of the line", "TYPE": "float", "DEFAULT": 0, "MIN": -1000, "MAX": 1000, "WRAP": true}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

void main() {
    vec2 uv = isf_FragNormCoord, shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 p = (uv - 0.5) * shape;
    vec2 line = vec2(sway(angle + 0.25), sway(angle));
    float reach = 0.06 * amount * (1.0 + 2.0 * hit);
    vec2 move = reach * mix(0.5 * line, p * (0.4 + dot(p, p)), radial) / shape;
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(IMG_NORM_PIXEL(inputImage, uv - move).r, here.g, IMG_NORM_PIXEL(inputImage, uv + move).b, here.a);
}
