/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Mirrors in a ring around the centre; they show a part of the picture that moves slowly.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Geometry"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the plain picture to the figure", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "segments", "LABEL": "Mirrors", "TYPE": "float", "DEFAULT": 6, "MIN": 2, "MAX": 24},
    {"NAME": "turn", "LABEL": "Turn of the figure", "TYPE": "float", "DEFAULT": 0, "MIN": -1000, "MAX": 1000, "WRAP": true},
    {"NAME": "look", "LABEL": "Turn of the mirrored part", "TYPE": "float", "DEFAULT": 0, "MIN": -1000, "MAX": 1000, "WRAP": true},
    {"NAME": "zoom", "LABEL": "Zoom", "TYPE": "float", "DEFAULT": 1, "MIN": 0.2, "MAX": 4},
    {"NAME": "push", "LABEL": "Zoom in, for hits", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "wander", "LABEL": "Slow wandering", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0, "MAX": 1},
    {"NAME": "centre", "LABEL": "Centre of the figure", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0, 0], "MAX": [1, 1]}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 shape = RENDERSIZE / unit, p = (isf_FragNormCoord - centre) * shape;
    float count = floor(segments + 0.5), radius = length(p) / (zoom * (1.0 + 0.6 * push));
    float angle = atan(p.y, p.x) / 6.2831853 - turn;
    float wedge = abs(fract(angle * count) - 0.5) / count;  // mirrored inside its wedge, in turns
    float at = wedge + look + 0.02 * TIME * wander;
    vec2 drift = 0.3 * wander * vec2(sway(TIME * 0.021), sway(TIME * 0.017 + 0.25));
    vec2 from = 0.5 + (radius * vec2(sway(at + 0.25), sway(at)) + drift) / shape;
    // The mirrors unfold: the coordinates are mixed, so that no half-way ghost is seen.
    from = mix(isf_FragNormCoord, from, amount);
    gl_FragColor = IMG_NORM_PIXEL(inputImage, 1.0 - abs(1.0 - mod(from, 2.0)));
}
