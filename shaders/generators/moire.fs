/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Two sets of fine rings slide over each other; together they make a third, moving figure.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Geometry"],
  "INPUTS": [
    {"NAME": "lines", "LABEL": "Rings across the short side", "TYPE": "float", "DEFAULT": 28, "MIN": 4, "MAX": 70},
    {"NAME": "detune", "LABEL": "Difference between the sets", "TYPE": "float", "DEFAULT": 0.06, "MIN": 0, "MAX": 0.5},
    {"NAME": "distance", "LABEL": "Distance of the centres", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 1},
    {"NAME": "speed", "LABEL": "Slow movement", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 2},
    {"NAME": "travel", "LABEL": "Rings that have left the centre", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 10000, "WRAP": true},
    {"NAME": "hit", "LABEL": "Ripple", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "weight", "LABEL": "Line weight", "TYPE": "float", "DEFAULT": 0.46, "MIN": 0.05, "MAX": 0.6},
    {"NAME": "figure", "LABEL": "Darkness between the figure", "TYPE": "float", "DEFAULT": 0.8, "MIN": 0, "MAX": 1},
    {"NAME": "reach", "LABEL": "How far the light of a set reaches, in short sides", "TYPE": "float", "DEFAULT": 4, "MIN": 0.1, "MAX": 4},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.0, 0.0, 0.01, 1]},
    {"NAME": "first", "LABEL": "First set", "TYPE": "color", "DEFAULT": [0.02, 0.05, 0.16, 1]},
    {"NAME": "second", "LABEL": "Second set", "TYPE": "color", "DEFAULT": [0.2, 0.012, 0.04, 1]},
    {"NAME": "crossing", "LABEL": "Where they meet", "TYPE": "color", "DEFAULT": [1.0, 0.93, 0.8, 1]}
  ]
}*/

// Coverage of a pixel by lines of the given period; phase in periods, pixel in periods.
float grating(float phase, float pixel) {
    float d = abs(fract(phase) - 0.5);
    return clamp((weight * 0.5 - d) / pixel + 0.5, 0.0, 1.0);
}

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 p = (isf_FragNormCoord - 0.5) * RENDERSIZE / unit;
    float t = TIME * speed;
    vec2 offset = 0.5 * distance * vec2(sway(t * 0.084 + 0.25), sway(t * 0.059));
    float a = length(p + offset), b = length(p - offset);
    // A ripple runs outwards through both sets as the hit decays.
    float front = (1.0 - hit) * 1.2;
    float ripple = hit * 1.6;
    a += ripple * 0.03 * max(1.0 - 40.0 * (a - front) * (a - front), 0.0);
    b -= ripple * 0.03 * max(1.0 - 40.0 * (b - front) * (b - front), 0.0);
    float other = lines * (1.0 + detune * sway(t * 0.033 + 0.16));
    float one = grating(a * lines - travel - t * 0.6, lines / unit);
    float two = grating(b * other - travel - t * 0.6, other / unit);
    // Each set shines around its centre alone, and the figure where both do.
    vec2 close = vec2(a, b) / reach;
    close = 1.0 / (1.0 + close * close * close * close);
    // The figure itself: where the sets agree they shine, where they disagree they go out.
    float agree = 0.5 + 0.5 * sway(a * lines - b * other + 0.25);
    float shine = mix(1.0, agree * agree, figure);
    vec3 colour = mix(ground.rgb, first.rgb, one * close.x);
    colour = mix(colour, mix(second.rgb, mix(ground.rgb, crossing.rgb, shine), one * sqrt(close.x)), two * mix(close.y, sqrt(close.y), one * close.x));
    gl_FragColor = vec4(colour, 1.0);
}
