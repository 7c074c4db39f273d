/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The new picture appears first in the dark parts of the old one, or in its bright parts.",
  "CREDIT": "perform",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "Progress", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "softness", "LABEL": "Softness of the edge", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0, "MAX": 1},
    {"NAME": "lights", "LABEL": "Through the lights first", "TYPE": "bool", "DEFAULT": false},
    {"NAME": "push", "LABEL": "The old picture is blown away", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 1}
  ]
}*/

void main() {
    vec2 uv = isf_FragNormCoord, p = uv - 0.5;
    vec2 moved = 0.5 + p * (1.0 - 0.5 * push * progress * progress);
    vec4 from = IMG_NORM_PIXEL(startImage, moved), to = IMG_THIS_PIXEL(endImage);
    // The new picture's own light takes part: its bright forms arrive first, and black cannot stall it.
    float old = dot(from.rgb, vec3(0.299, 0.587, 0.114)), new = dot(to.rgb, vec3(0.299, 0.587, 0.114));
    float field = sqrt(old);
    field = lights ? 1.0 - field : field;
    field = clamp(0.15 + 0.85 * field - 0.15 * new, 0.0, 1.0);
    float soft = max(softness, 0.01);
    float share = clamp((progress - field * (1.0 - soft)) / soft, 0.0, 1.0);
    gl_FragColor = mix(from, to, progress >= 1.0 ? 1.0 : share);
}
