/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A disc, cut in two halves that slip along the cut: the one form of a Swiss poster.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Geometry"],
  "INPUTS": [
    {"NAME": "centre", "LABEL": "Place of the disc", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [-0.5, -0.5], "MAX": [1.5, 1.5]},
    {"NAME": "size", "LABEL": "Radius, in short sides", "TYPE": "float", "DEFAULT": 0.34, "MIN": 0.02, "MAX": 1},
    {"NAME": "slip", "LABEL": "How far the halves have slipped, in radii", "TYPE": "float", "DEFAULT": 0.2, "MIN": -2, "MAX": 2},
    {"NAME": "turn", "LABEL": "Turn of the cut", "TYPE": "float", "DEFAULT": 0.06, "MIN": -1000, "MAX": 1000, "WRAP": true},
    {"NAME": "speed", "LABEL": "Slow turn of the cut", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 3},
    {"NAME": "hit", "LABEL": "Swell", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.008, 0.008, 0.012, 1]},
    {"NAME": "first", "LABEL": "First half", "TYPE": "color", "DEFAULT": [0.94, 0.9, 0.8, 1]},
    {"NAME": "second", "LABEL": "Second half", "TYPE": "color", "DEFAULT": [0.94, 0.9, 0.8, 1]}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y), radius = size * (1.0 + 0.12 * hit), pixel = 1.0 / (radius * unit);
    float angle = turn + 0.01 * speed * TIME;
    vec2 along = vec2(sway(angle + 0.25), sway(angle)), across = vec2(-along.y, along.x);
    vec2 p = (isf_FragNormCoord - centre) * RENDERSIZE / unit / radius;
    float side = dot(p, across), half1 = sign(side), x = dot(p, along) - 0.5 * half1 * slip;
    float disc = clamp((1.0 - length(vec2(x, side))) / pixel + 0.5, 0.0, 1.0);
    float other = clamp((1.0 - length(vec2(x + half1 * slip, side))) / pixel + 0.5, 0.0, 1.0);  // the half across the cut
    float share = clamp(0.5 + 0.5 * abs(side) / pixel, 0.5, 1.0);  // of this half in a pixel on the cut
    vec3 here = mix(ground.rgb, half1 > 0.0 ? first.rgb : second.rgb, disc);
    vec3 there = mix(ground.rgb, half1 > 0.0 ? second.rgb : first.rgb, other);
    gl_FragColor = vec4(mix(there, here, share), 1.0);
}
