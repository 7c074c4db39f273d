/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The old picture runs down like wet paint, thread by thread, and shows the new one.",
  "CREDIT": "perform",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "Progress", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "amount", "LABEL": "How far it runs", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "threads", "LABEL": "Threads along the short side", "TYPE": "float", "DEFAULT": 4, "MIN": 1, "MAX": 40},
    {"NAME": "angle", "LABEL": "Direction; 0 is down", "TYPE": "float", "DEFAULT": 0, "MIN": -1, "MAX": 1}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

vec2 inside(vec2 at) {
    return 1.0 - abs(1.0 - mod(at, 2.0));  // mirrored beyond the edges
}

void main() {
    vec2 uv = isf_FragNormCoord, shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
    float eased = progress * progress * (3.0 - 2.0 * progress);
    vec2 way = vec2(sway(angle), sway(angle + 0.25)), p = (uv - 0.5) * shape;
    // Threads of paint, some quick, some slow; three waves that share no period make their pace.
    float x = dot(p, vec2(way.y, -way.x)) * threads;
    float pace = 0.5 + 0.2 * sway(x * 0.31) + 0.18 * sway(x * 0.83 + 0.3 * sway(x * 0.2)) + 0.12 * sway(x * 1.61 + 0.6);
    float part = clamp(eased * 2.0 - (1.0 - pace), 0.0, 1.0), gone = part * part;
    float rest = 1.0 - part;
    vec2 run = way * amount / shape;
    vec4 from = IMG_NORM_PIXEL(startImage, inside(uv + run * gone * 1.6));
    vec4 to = IMG_NORM_PIXEL(endImage, inside(uv - run * rest * rest * 0.8));
    // the paint parts from below: a soft front comes down each thread
    float front = clamp((part * 1.9 - 0.45 - (0.5 - dot(p, way) / dot(abs(way), shape)) * 0.45) / 0.35, 0.0, 1.0);
    gl_FragColor = mix(from, to, progress <= 0.0 ? 0.0 : progress >= 1.0 ? 1.0 : front);
}
