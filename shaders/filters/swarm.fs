/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A swarm of the picture that rises through the dark: the far ones are small, and follow a moment later.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Time"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the swarm", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "size", "LABEL": "Size of the nearest", "TYPE": "float", "DEFAULT": 0.85, "MIN": 0.2, "MAX": 2},
    {"NAME": "span", "LABEL": "Seconds by which the farthest is late", "TYPE": "float", "DEFAULT": 0.8, "MIN": 0.2, "MAX": 6},
    {"NAME": "rise", "LABEL": "Way up; let it grow", "TYPE": "float", "DEFAULT": 0, "MIN": -10000, "MAX": 10000, "WRAP": true},
    {"NAME": "sway", "LABEL": "They drift to the sides", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "They stretch", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "far", "LABEL": "Colour of the far ones", "TYPE": "color", "DEFAULT": [0.1, 0.45, 0.9, 1]}
  ],
  "PASSES": [
    {"TARGET": "past", "WIDTH": "max(floor(min($WIDTH, $HEIGHT)/3), 8) * 4", "HEIGHT": "max(floor(min($WIDTH, $HEIGHT)/3), 8) * 4", "PERSISTENT": true},
    {"TARGET": "places", "WIDTH": "9", "HEIGHT": "1", "FLOAT": true},
    {}
  ]
}*/

const float TILES = 16.0;  // moments kept, in a sheet of 4 x 4 tiles, each the middle square of the picture
const int MANY = 9;

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

float wave(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

vec3 kept(float number, vec2 at) {  // at: 0..1 in the square
    float tile = mod(number, TILES), row = floor(tile * 0.25);
    vec2 inset = vec2(2.4) / IMG_SIZE(past);
    return IMG_NORM_PIXEL(past, 0.25 * (vec2(tile - 4.0 * row, row) + clamp(at, inset, 1.0 - inset))).rgb;
}

float depth(int n) {  // 0 the nearest, 1 the farthest
    return float(n) / float(MANY - 1);
}

float breadth(int n) {
    return size * mix(1.0, 0.16, sqrt(depth(n)));
}

// One of them: its place from the middle of the frame, how it leans, which way it looks. Of each three, which rise as fast
// as each other, one is always in the frame; and each has a strip of the frame, so that near ones do not meet.
vec4 one(int n, vec2 shape) {
    float big = breadth(n), speed = n < 3 ? 1.0 : n < 6 ? 0.62 : 0.38, trip = rise * speed + float(n % 3) / 3.0 + 0.11 * float(n / 3) + 0.3;
    uint dice = word(word(uint(n)) + uint(int(floor(trip)) + 5000));
    vec2 luck = vec2(dice & 1023u, (dice >> 10u) & 1023u) / 1023.0;
    float across = fract(0.618 * float(n) + 0.3) + 0.12 * (luck.x - 0.5) + 0.04 * sway * wave(0.031 * TIME + luck.y);
    float lean = 0.5 * sway * (luck.y - 0.5) + 0.12 * sway * wave(0.043 * TIME + luck.x);
    return vec4((across - 0.5) * shape.x, (fract(trip) - 0.5) * (shape.y + big), lean, luck.x > 0.5 ? 1.0 : -1.0);
}

vec2 within(vec2 p, int n) {  // a place in the square of one of them, -0.5..0.5
    vec4 own = texelFetch(places, ivec2(n, 0), 0);
    vec2 q = (p - own.xy) / breadth(n);
    return vec2(own.w * (q.x - own.z * q.y), (q.y + own.z * q.x) / (1.0 + 0.1 * hit));
}

vec3 laid(vec3 behind, vec3 seen, vec2 q, float deep) {  // one of them before the others
    vec2 rim = smoothstep(0.5, 0.4, abs(q));
    float light = dot(seen, vec3(0.3, 0.4, 0.3));
    seen = mix(seen, far.rgb * light * 1.4, 0.75 * deep) * mix(1.0, 0.55, deep) * rim.x * rim.y;
    return seen + behind * (1.0 - min(1.4 * max(seen.r, max(seen.g, seen.b)), 0.85));
}

void main() {
    vec2 uv = isf_FragNormCoord, full = IMG_SIZE(inputImage), square = min(full.x, full.y) / full;
    float each = span / (TILES - 2.0), now = TIME / each, latest = floor(now);
    if (PASSINDEX == 0) {  // tiles are numbered by time: those begun since the last frame get the picture
        vec2 grid = floor(uv * 4.0);
        float tile = grid.x + 4.0 * grid.y, before = floor((TIME - TIMEDELTA) / each - 0.02);
        float number = latest - mod(latest - tile, TILES);
        vec2 at = 0.5 + (fract(uv * 4.0) - 0.5) * square;
        gl_FragColor = FRAMEINDEX == 0 || number > before ? IMG_NORM_PIXEL(inputImage, at) : IMG_THIS_PIXEL(past);
        return;
    }
    vec2 shape = full / min(full.x, full.y), p = (uv - 0.5) * shape;
    if (PASSINDEX == 1) {
        gl_FragColor = one(int(gl_FragCoord.x), shape);
        return;
    }
    vec3 colour = vec3(0.0);
    for (int n = MANY - 1; n > 0; n--) {  // from the farthest to the nearest, which is of this moment
        vec2 q = within(p, n);
        colour = laid(colour, kept(floor(now - depth(n) * (TILES - 2.0)), q + 0.5), q, depth(n));
    }
    vec2 q = within(p, 0);
    colour = laid(colour, IMG_NORM_PIXEL(inputImage, 0.5 + clamp(q, -0.5, 0.5) * square).rgb, q, 0.0);
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(here.rgb, colour, amount), here.a);
}
