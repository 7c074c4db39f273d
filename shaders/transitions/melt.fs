/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The light of both pictures bends them: the old one runs, the new one sets.",
  "CREDIT": "perform",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "Progress", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "amount", "LABEL": "How far it runs", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "angle", "LABEL": "Direction; 0 is down", "TYPE": "float", "DEFAULT": 0, "MIN": -1, "MAX": 1}
  ]
}*/

vec2 inside(vec2 at) {
    return 1.0 - abs(1.0 - mod(at, 2.0));  // mirrored beyond the edges
}

void main() {
    vec2 uv = isf_FragNormCoord;
    float a = 6.2831853 * angle, eased = progress * progress * (3.0 - 2.0 * progress);
    vec2 way = vec2(sin(a), cos(a)) * min(RENDERSIZE.x, RENDERSIZE.y) / RENDERSIZE * amount;
    vec3 weight = vec3(0.299, 0.587, 0.114);
    float old = dot(IMG_THIS_PIXEL(startImage).rgb, weight), new = dot(IMG_THIS_PIXEL(endImage).rgb, weight);
    float pull = 0.25 + old + new;
    vec4 from = IMG_NORM_PIXEL(startImage, inside(uv + way * pull * eased * 0.8));
    vec4 to = IMG_NORM_PIXEL(endImage, inside(uv - way * pull * (1.0 - eased) * 0.8));
    // lighter drops go over first; clamped, so that both ends are whole
    float share = clamp(eased * 1.8 - 0.4 + 0.4 * (new - old), 0.0, 1.0);
    gl_FragColor = mix(from, to, progress <= 0.0 ? 0.0 : progress >= 1.0 ? 1.0 : share);
}
