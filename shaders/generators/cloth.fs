/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A curtain of threads with light running down them; two hands part it and gather it.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Line"],
  "INPUTS": [
    {"NAME": "threads", "LABEL": "Threads across the short side", "TYPE": "float", "DEFAULT": 46, "MIN": 8, "MAX": 120},
    {"NAME": "left", "LABEL": "Left hand", "TYPE": "point2D", "DEFAULT": [0.4, 0.5], "MIN": [0, 0], "MAX": [1, 1]},
    {"NAME": "right", "LABEL": "Right hand", "TYPE": "point2D", "DEFAULT": [0.6, 0.5], "MIN": [0, 0], "MAX": [1, 1]},
    {"NAME": "part", "LABEL": "How far it opens between the hands", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0, "MAX": 1},
    {"NAME": "gather", "LABEL": "The hands hold the threads", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "folds", "LABEL": "Folds", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "run", "LABEL": "Length of the lights", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "A wave runs down, and plucks", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "Thicker", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "sparkle", "LABEL": "Beads of light", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "ground", "LABEL": "Behind it", "TYPE": "color", "DEFAULT": [0.0, 0.0, 0.008, 1]},
    {"NAME": "first", "LABEL": "First thread", "TYPE": "color", "DEFAULT": [0.75, 0.06, 0.16, 1]},
    {"NAME": "second", "LABEL": "Second thread", "TYPE": "color", "DEFAULT": [0.16, 0.1, 0.5, 1]},
    {"NAME": "light", "LABEL": "Light", "TYPE": "color", "DEFAULT": [1.0, 0.8, 0.5, 1]}
  ]
}*/

const float PI = 3.14159265;

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

// Where the thread that is seen at p hangs while nobody touches it: y is 0 in the gap between the hands, where none is.
vec2 hung(vec2 p, vec2 shape) {
    vec2 l = left * shape, r = right * shape;
    float middle = 0.5 * (l.x + r.x), high = mix(l.y, r.y, clamp((p.x - l.x) / (r.x - l.x + 1e-3), 0.0, 1.0));
    float near = (p.y - high) / 0.42, open = 0.5 * part * abs(r.x - l.x) * exp(-near * near);
    float off = p.x - middle, away = abs(off) - open;
    float x = abs(off) - open * exp(-max(away, 0.0) / max(0.6 * open, 0.02));
    x = middle + sign(off) * x;
    for (int i = 0; i < 2; i++) {  // a hand that holds draws the threads to itself
        vec2 hand = i == 0 ? l : r, d = p - hand;
        x += 1.2 * gather * d.x * exp(-14.0 * d.x * d.x - 5.0 * d.y * d.y);
    }
    return vec2(x, smoothstep(-0.002, 0.002, away));
}

vec3 layer(vec2 p, vec2 shape, float count, float seed) {
    vec2 place = hung(p, shape);
    float fold = sway(0.9 * place.x + 0.1 * p.y + 0.021 * TIME + seed) + 0.6 * sway(2.1 * place.x - 0.17 * p.y - 0.034 * TIME);
    float u = place.x * count + 0.09 * folds * count * fold / (1.0 + 1.5 * folds), i = floor(u);
    uint a = word(uint(int(i) + 5000) + uint(1000.0 * seed)), b = word(a);
    vec2 luck = vec2(a & 65535u, b & 65535u) / 65535.0;
    // The wave of a hit falls from the top as the hit fades; behind it the threads swing.
    float top = p.y / shape.y, wave = top - 1.15 * hit + 0.15, front = exp(-60.0 * wave * wave) * min(6.0 * hit, 1.0);
    float swing = 0.3 * hit * sway(1.7 * top + luck.x + 2.3 * TIME) * smoothstep(0.0, 0.25, wave);
    float x = abs(u - i - 0.5 - swing), soft = 1.5 * count / min(RENDERSIZE.x, RENDERSIZE.y);
    float thick = (0.1 + 0.1 * luck.y) * (1.0 + 0.9 * snap + 0.8 * front);
    float line = smoothstep(thick + soft, thick - soft, x) * min(1.0, 0.35 / soft);
    float shade = 0.5 + 0.5 * sway(0.9 * place.x + 0.25 + 0.1 * p.y + 0.021 * TIME + seed);
    shade = mix(1.0, shade * shade, folds);
    // Lights run down each thread at its own speed.
    float drop = fract(top + (0.07 + 0.1 * luck.x) * TIME + luck.y), tail = 0.08 + 0.6 * run;
    float lit = max(1.0 - drop / tail, 0.0);
    vec3 colour = mix(first.rgb, second.rgb, step(0.5, fract(luck.x * 7.0))) * (0.08 + 0.75 * shade);
    colour += light.rgb * (lit * lit * (0.2 + 0.55 * shade) + front * (0.5 + 0.6 * shade));
    float bead = smoothstep(0.03, 0.0, abs(fract(top * 6.0 + luck.x * 9.0 + 0.2 * TIME) - 0.5) * step(0.6, luck.y) + x * 0.06);
    colour += sparkle * bead * step(0.6, luck.y) * light.rgb;
    return colour * line * place.y;
}

void main() {
    vec2 shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y), p = isf_FragNormCoord * shape;
    vec3 colour = ground.rgb + 0.3 * layer(0.8 * p + vec2(0.13, 0.1), shape, threads * 0.8, 0.37);
    vec3 front = layer(p, shape, threads, 0.0);
    gl_FragColor = vec4(colour * (1.0 - min(dot(front, vec3(1.0)), 1.0)) + front, 1.0);
}
