/*{
  "ISFVSN": "2",
  "DESCRIPTION": "You fall into the old picture and arrive in the new one.",
  "CREDIT": "perform",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "Progress", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "depth", "LABEL": "Depth of the fall", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0, "MAX": 1},
    {"NAME": "twist", "LABEL": "Twist", "TYPE": "float", "DEFAULT": 0.08, "MIN": -0.5, "MAX": 0.5},
    {"NAME": "darkness", "LABEL": "Darkness of the tunnel", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

vec2 seen(vec2 p, float zoom, float angle) {
    float c = sway(angle + 0.25), s = sway(angle);
    vec2 from = 0.5 + mat2(c, s, -s, c) * p * zoom * min(RENDERSIZE.x, RENDERSIZE.y) / RENDERSIZE;
    return 1.0 - abs(1.0 - mod(from, 2.0));  // mirrored beyond the edges
}

void main() {
    vec2 p = (isf_FragNormCoord - 0.5) * RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
    float eased = progress * progress * (3.0 - 2.0 * progress), rest = 1.0 - eased, radius = length(p);
    // The middle falls first: the new picture opens from the centre outwards.
    vec4 from = IMG_NORM_PIXEL(startImage, seen(p, exp2(-3.0 * depth * eased), twist * eased));
    vec4 to = IMG_NORM_PIXEL(endImage, seen(p, exp2(2.0 * depth * rest), -twist * rest));
    float share = clamp((eased * 2.2 - 0.6 - 0.35 * (radius - 0.4)) / 0.7, 0.0, 1.0);
    share = progress <= 0.0 ? 0.0 : progress >= 1.0 ? 1.0 : share;
    float dark = darkness * 4.0 * eased * rest * clamp(radius * 1.3 - 0.15, 0.0, 1.0);
    vec4 c = mix(from, to, share);
    gl_FragColor = vec4(c.rgb * (1.0 - min(dark, 1.0)), c.a);
}
