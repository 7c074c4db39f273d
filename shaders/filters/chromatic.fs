/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Red and blue part from green, along a line or away from the centre.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Colour"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Shift", "TYPE": "float", "DEFAULT": 0.2, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "hit", "LABEL": "More of it, for hits", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "radial", "LABEL": "Along a line, or away from the centre", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1},
    {"NAME": "angle", "LABEL": "Turn of the line", "TYPE": "float", "DEFAULT": 0, "MIN": -1000, "MAX": 1000}
  ]
}*/

void main() {
    vec2 uv = isf_FragNormCoord, shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 p = (uv - 0.5) * shape;
    float a = 6.2831853 * angle, reach = 0.06 * amount * (1.0 + 2.0 * hit);
    vec2 move = reach * mix(0.5 * vec2(cos(a), sin(a)), p * (0.4 + dot(p, p)), radial) / shape;
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(IMG_NORM_PIXEL(inputImage, uv - move).r, here.g, IMG_NORM_PIXEL(inputImage, uv + move).b, here.a);
}
