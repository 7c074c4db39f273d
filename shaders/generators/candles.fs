/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Candles in a dark room, in rows as deep as the room: as many burn as you say, and each flickers alone.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Fire"],
  "INPUTS": [
    {"NAME": "burning", "LABEL": "Share that burns", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0, "MAX": 1},
    {"NAME": "height", "LABEL": "Height of the flames", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "wind", "LABEL": "Wind, from the left or the right", "TYPE": "float", "DEFAULT": 0, "MIN": -1, "MAX": 1},
    {"NAME": "gust", "LABEL": "Gust that runs through the room", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "Flare", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "sparkle", "LABEL": "Sparks", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "ground", "LABEL": "Night", "TYPE": "color", "DEFAULT": [0.0, 0.002, 0.012, 1]},
    {"NAME": "wax", "LABEL": "Wax", "TYPE": "color", "DEFAULT": [0.5, 0.2, 0.1, 1]},
    {"NAME": "flame", "LABEL": "Flame", "TYPE": "color", "DEFAULT": [1.0, 0.42, 0.08, 1]},
    {"NAME": "core", "LABEL": "Its core", "TYPE": "color", "DEFAULT": [1.0, 0.9, 0.6, 1]}
  ],
  "PASSES": [
    {"TARGET": "candles", "WIDTH": "64", "HEIGHT": "6", "FLOAT": true},
    {"TARGET": "halo", "WIDTH": "max(floor($WIDTH/16), 16)", "HEIGHT": "max(floor($HEIGHT/16), 16)", "FLOAT": true},
    {}
  ]
}*/

const int ROWS = 6, COLUMNS = 64;
// The rows from the front to the back: the size of a candle's place, its foot, its light.
const vec3 RANKS[ROWS] = vec3[ROWS](
    vec3(0.3000, -0.1200, 1.00), vec3(0.2079, 0.1312, 0.89),
    vec3(0.1603, 0.3025, 0.78), vec3(0.1219, 0.4527, 0.67),
    vec3(0.0883, 0.5906, 0.56), vec3(0.0580, 0.7200, 0.45));

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

vec3 chance(ivec2 cell) {
    uint a = word(uint(cell.x) + word(uint(cell.y))), b = word(a), c = word(b);
    return vec3(a, b, c) / 4294967295.0;
}

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

float waver(float t, float phase) {  // restless, and never the same twice
    t *= 0.16;
    return sway(t + phase) * 0.6 + sway(t * 2.37 + phase * 3.1) * 0.4;
}

vec2 shape() {  // the picture in units of its short side
    return RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
}

float shift(int row) {  // the rows do not stand behind each other
    return 0.5 * float(row % 2) + 0.37 * float(row) + 0.5 * float(COLUMNS);
}

// One candle: its place in its cell, the height of its wax, that of its flame, and how far that leans.
vec4 candle(ivec2 cell) {
    vec3 luck = chance(cell);
    float place = 0.5 + 0.5 * (luck.x - 0.5), stands = 0.35 + 0.75 * luck.y;
    float lit = smoothstep(-0.04, 0.04, burning * 1.08 - 0.04 - luck.z);
    float flicker = 0.1 * waver(TIME * 3.0, luck.x * 9.0);
    float tall = lit * (0.5 + 0.9 * height + flicker) * (1.0 + 0.75 * hit * (0.4 + 0.6 * luck.y));
    // A gust runs from left to right: each candle meets it a little later.
    float bow = gust * sway(gust - 0.06 * float(cell.x) + 0.2 * luck.x);
    float lean = 0.5 * wind + bow + 0.12 * waver(TIME * 1.3, luck.y * 7.0);
    return vec4(place, stands, tall, 0.55 * lean / (0.5 + abs(lean)));
}

vec4 kept(ivec2 cell) {
    return texelFetch(candles, ivec2(clamp(cell.x, 0, COLUMNS - 1), cell.y), 0);
}

float glow(vec2 p) {  // of all flames, at a place
    float sum = 0.0;
    for (int row = 0; row < ROWS * PASSINDEX; row++) {  // not unrolled in the last pass
        vec3 rank = RANKS[row];
        vec2 q = vec2(p.x / rank.x + shift(row), p.y / rank.x - rank.y * shape().y / rank.x);
        for (int side = -2; side <= 2; side++) {
            ivec2 cell = ivec2(int(floor(q.x)) + side, row);
            vec4 one = kept(cell);
            vec2 d = q - vec2(float(cell.x) + one.x, one.y + 0.4 * one.z);
            sum += min(one.z, 1.0) * rank.z * exp(-2.6 * length(d * vec2(1.0, 0.8)));
        }
    }
    return sum;
}

float spark(vec2 p) {  // points that rise from the flames
    vec2 q = p * 14.0 - vec2(0.0, 2.6 * TIME);
    vec3 luck = chance(ivec2(floor(q)) + 900);
    return step(0.45, luck.z) * smoothstep(0.09, 0.02, length(fract(q) - 0.25 - 0.5 * luck.xy));
}

// A flame that stands on (0, 0), one unit high: its outside and its core.
vec2 tongue(vec2 p, float lean, float phase) {
    float up = clamp(p.y, 0.0, 1.0);
    p.x -= lean * up * up + 0.05 * up * sway(1.1 * up - 1.3 * TIME + phase);
    float width = 0.2 * sqrt(up + 0.02) * (1.0 - up) * (1.7 - 0.7 * up), x = abs(p.x);
    float outside = max(x - width, max(-p.y, p.y - 1.0));
    float inside = max(x - 0.55 * width, max(0.08 - p.y, p.y - 0.7));
    return vec2(smoothstep(0.035, -0.035, outside), smoothstep(0.05, -0.05, inside));
}

float bent(vec2 d, vec4 one) {  // the distance from the middle of a candle and its flame
    float up = clamp(d.y / max(one.z, 0.01), 0.0, 1.0);
    return abs(d.x - 0.8 * one.w * up * up) + step(one.z + 0.1, d.y);
}

// Wax and flame of one candle, `d` from the top of its wax: a colour, and how much it hides.
vec4 drawn(vec2 d, vec4 one, float far) {
    float rim = d.y - 0.033 * max(1.0 - 44.0 * d.x * d.x, 0.0);  // the top of the wax is round
    float body = smoothstep(0.15, 0.135, abs(d.x)) * smoothstep(0.012, -0.012, rim);
    float down = max(-d.y, 0.0);
    float lit = min(one.z, 1.0) * (0.8 + 0.5 * hit) / (1.0 + 2.0 * down + 3.0 * down * down);
    vec3 colour = ground.rgb + wax.rgb * far * (0.03 + lit) * (1.0 - 5.0 * d.x * d.x);
    vec2 up = vec2(d.x / min(0.02 + 1.8 * one.z, 0.55 + 0.35 * one.z), (d.y - 0.04) / max(one.z, 0.01));
    vec2 fire = tongue(up, one.w, one.x * 13.0) * step(0.01, one.z);
    colour = mix(colour, flame.rgb * far * 1.05, fire.x);
    return vec4(mix(colour, core.rgb * far * 1.1, fire.y), max(body, fire.x));
}

void main() {
    vec2 uv = isf_FragNormCoord, p = uv * shape() - vec2(0.5 * shape().x, 0.0);
    if (PASSINDEX == 0) {
        gl_FragColor = candle(ivec2(uv * vec2(COLUMNS, ROWS)));
        return;
    }
    if (PASSINDEX == 1) {
        gl_FragColor = vec4(glow(p), 0.0, 0.0, 1.0);
        return;
    }
    float seen = 1.0, halo = IMG_NORM_PIXEL(halo, uv).x;
    vec3 colour = vec3(0.0);
    for (int row = 0; row < ROWS; row++) {  // from the front to the back
        vec3 rank = RANKS[row];
        vec2 q = vec2(p.x, p.y - rank.y * shape().y) / rank.x;
        q.x += shift(row);
        // Of the two candles that may reach this place, the nearer one, as far as it bends here.
        int right = int(floor(q.x + 0.5));
        vec4 one = kept(ivec2(right - 1, row)), other = kept(ivec2(right, row));
        vec2 d = q - vec2(float(right - 1) + one.x, one.y), e = q - vec2(float(right) + other.x, other.y);
        if (bent(e, other) < bent(d, one)) {
            one = other;
            d = e;
        }
        vec4 more = drawn(d, one, rank.z);
        colour += seen * more.a * more.rgb;
        seen *= 1.0 - more.a;
    }
    colour += (0.35 + 0.65 * seen) * flame.rgb * halo * (0.13 + 0.2 * hit) + seen * ground.rgb;
    colour += sparkle * min(1.5 * halo, 1.0) * (flame.rgb + core.rgb) * spark(p);
    gl_FragColor = vec4(colour, 1.0);
}
