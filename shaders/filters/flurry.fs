/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A flurry of petals on the wind: each has the colours of a place of the picture, tumbles, and shows its pale back.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Geometry"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the petals", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "size", "LABEL": "Size of the nearest", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.1, "MAX": 1},
    {"NAME": "many", "LABEL": "How many", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "spread", "LABEL": "Breadth of the stream in which they fly", "TYPE": "float", "DEFAULT": 0.45, "MIN": 0.1, "MAX": 3},
    {"NAME": "angle", "LABEL": "Where the wind blows to, in turns; 0 is to the right", "TYPE": "float", "DEFAULT": -0.07, "MIN": -1, "MAX": 1},
    {"NAME": "wind", "LABEL": "Way that the wind has blown; let it grow", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 4096, "WRAP": true},
    {"NAME": "tumble", "LABEL": "Turns that they have tumbled; let it grow", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 4096, "WRAP": true},
    {"NAME": "hit", "LABEL": "A gust stretches them and bends their stream", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "All of them show their back", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "sparkle", "LABEL": "The rims of some glint", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "light", "LABEL": "Place of the light", "TYPE": "point2D", "DEFAULT": [0.3, 0.7], "MIN": [-1, -1], "MAX": [2, 2]},
    {"NAME": "reach", "LABEL": "How far the light reaches", "TYPE": "float", "DEFAULT": 0.8, "MIN": 0.1, "MAX": 3},
    {"NAME": "night", "LABEL": "Night", "TYPE": "color", "DEFAULT": [0.0, 0.004, 0.016, 1]},
    {"NAME": "back", "LABEL": "Their back", "TYPE": "color", "DEFAULT": [1.0, 0.86, 0.72, 1]}
  ],
  "PASSES": [
    {"TARGET": "tints", "WIDTH": "8", "HEIGHT": "8", "FLOAT": true},
    {"TARGET": "mean", "WIDTH": "1", "HEIGHT": "1", "FLOAT": true},
    {"TARGET": "lanes", "WIDTH": "64", "HEIGHT": "6", "FLOAT": true},
    {"TARGET": "petals", "WIDTH": "64", "HEIGHT": "384", "FLOAT": true},
    {"TARGET": "reached", "WIDTH": "floor(($WIDTH + 3) / 4)", "HEIGHT": "floor(($HEIGHT + 3) / 4)", "FLOAT": true},
    {}
  ]
}*/

const float PI = 3.14159265;
const int LAYERS = 6, LANES = 64, SPAN = 32;  // a layer is 64 lanes along the wind with 32 places each, again and again
const float ROUND = 4096.0;  // of `wind` and `tumble`: then all is where it was
const float BEND = 0.2;  // of a petal that stands on its edge, in its half lengths
const vec2 ROOM = vec2(1.9, 1.12);  // of a petal, in sizes of its layer

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

vec4 dice(uint n) {
    return vec4(n & 255u, (n >> 8u) & 255u, (n >> 16u) & 255u, n >> 24u) / 255.0;
}

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

vec2 squared(vec2 at) {  // a place in the middle square of the picture
    vec2 size = IMG_SIZE(inputImage);
    return 0.5 + (at - 0.5) * min(size.x, size.y) / size;
}

// The colour of a part of the picture, and how much of it is not dark.
vec4 tint(vec2 corner) {
    vec4 sum = vec4(0.0);
    for (int i = 0; i < 9; i++) {
        vec2 at = 0.15 + 0.7 * (corner + (vec2(i % 3, i / 3) + 0.5) / 24.0);
        vec3 c = IMG_NORM_PIXEL(inputImage, squared(at)).rgb;
        float weight = smoothstep(0.12, 0.4, max(c.r, max(c.g, c.b)));
        sum += vec4(c * weight, weight);
    }
    return vec4(sum.rgb / max(sum.a, 1e-3), sum.a / 9.0);
}

vec4 overall() {  // the colour of the whole picture
    vec4 sum = vec4(1e-4);
    for (int i = 0; i < 64; i++) {
        vec4 part = texelFetch(tints, ivec2(i & 7, i >> 3), 0);
        sum += vec4(part.rgb * part.a, part.a);
    }
    return vec4(sum.rgb / sum.a, 1.0);
}

float big(int layer) {  // each layer is 0.64 of the one before it
    return size * exp2(-0.644 * float(layer));
}

float beside(int layer) {  // the lanes of one layer are not behind those of the next
    return 0.43 * big(layer) * float(layer);
}

// How far a lane was blown, in places: the part of a place in two steps (a half float is coarse), and the whole ones.
vec4 blown(int lane, int layer) {
    vec4 luck = dice(word(uint(lane + 64 * layer)));
    float speed = (0.35 + big(layer)) * (0.75 + 0.5 * luck.x) / (ROOM.x * big(layer)), each = float(SPAN) / ROUND;
    float way = (wind + 2.0) * floor(speed / each + 0.5) * each + 20.0 * luck.y;
    float part = 1.0 - fract(way), step1 = floor(part * 256.0) / 256.0;
    return vec4(step1, (part - step1) * 256.0, mod(-ceil(way), float(SPAN)), 1.0);
}

float turns(float speed) {  // by tumbling
    return fract(tumble * floor(256.0 * speed + 0.5) / 256.0);
}

// A petal: its place in its room, and its size, both in sizes of the layer; or its axis, how it faces us, and its luck,
// below 0 if it leans to the other side.
vec4 petal(ivec2 cell, int layer, bool first) {
    uint seed = word(word(uint(cell.x + 64 * cell.y + 4096 * layer)) + 9u);
    vec4 luck = dice(seed), more = dice(word(seed));
    float deep = float(layer) / float(LAYERS - 1), lane = float(((cell.y + 32) & 63) - 32);
    float aside = ((lane + 0.5) * ROOM.y * big(layer) - beside(layer)) / spread;
    float there = many * (0.45 + 0.55 * deep) * (0.12 + 1.1 * exp(-aside * aside));
    float grown = smoothstep(0.0, 0.12, there - luck.x * 0.9) * 0.43 * (0.75 + 0.25 * more.w);
    if (first) return vec4(vec2(0.76, 0.1) * (more.xy - 0.5), grown, 1.0);
    float lean = 2.0 * PI * (more.z + turns(0.25 * (more.w - 0.5)));
    float around = 2.0 * PI * (turns(0.6 + 0.8 * luck.y) + luck.z) + PI * snap * step(-0.2, cos(2.0 * PI * luck.z));
    float facing = sign(cos(around)) * pow(abs(cos(around)), 0.55);  // seldom on edge
    return vec4(cos(lean), sin(lean), facing, (1.0 + floor(255.0 * luck.w)) * (sin(around) < 0.0 ? -1.0 : 1.0));
}

// A place in the frame, along and across the wind; the stream winds.
vec2 along(vec2 p) {
    vec2 way = vec2(cos(2.0 * PI * angle), sin(2.0 * PI * angle)), at = vec2(dot(p, way), dot(p, vec2(-way.y, way.x)));
    return vec2(at.x, at.y + (0.12 + 0.16 * hit) * sway(0.35 * at.x - 0.03 * TIME - 0.15625 * wind));
}

// The petal that a layer has here: how far it is, in its sizes, and that itself in those of the layer. `at` is where
// `petals` tells the rest, `edge` how far the next rooms are.
vec3 within(vec2 place, int layer, out ivec2 at, out vec2 edge) {
    float big1 = big(layer);
    vec2 s = vec2(place.x, place.y + beside(layer)) / (ROOM * big1);
    int lane = int(floor(s.y)) & (LANES - 1);
    vec4 far = texelFetch(lanes, ivec2(lane, layer), 0);
    s.x += far.x + far.y / 256.0;
    at = ivec2((int(floor(s.x)) + int(far.z)) & (SPAN - 1), lane + LANES * layer);
    vec4 stands = texelFetch(petals, at, 0);
    vec2 d = (fract(s) - 0.5) * ROOM;
    edge = 0.5 * ROOM - abs(d);
    d -= stands.xy;
    d.x /= 1.0 + 0.3 * hit;
    return vec3(d, stands.z);
}

// What stands in `petals` of how a petal faces us, read: where it slopes to, its breadth, and a place on it.
float slope(vec4 own) {
    return sqrt(max(1.0 - own.z * own.z, 0.0)) * sign(own.w);
}

float breadth(vec4 own) {
    return 0.88 * max(abs(own.z), 0.07);
}

vec2 turned(vec2 d, vec4 own) {
    return vec2(dot(d, own.xy), dot(d, vec2(-own.y, own.x)));
}

// The layers with a petal in a piece of the frame, which reaches `far` from its middle: 1 for the first, 2, 4 ...
float reaching(vec2 place, float far) {
    float sum = 0.0;
    for (int layer = 0; layer < LAYERS; layer++) {
        ivec2 at;
        vec2 edge;
        vec3 d = within(place, layer, at, edge);
        vec4 own = texelFetch(petals, at + ivec2(SPAN, 0), 0);
        float more = far / big(layer), bent = BEND * slope(own) * d.z;
        vec2 q = turned(d.xy, own), half1 = vec2(1.06 * d.z, breadth(own) * d.z + 0.5 * abs(bent)) + more;
        bool here = d.z > 0.0 && all(lessThan(abs(q - vec2(0.0, 0.5 * bent)), half1));
        // Petals keep away from the edges of their rooms.
        if (here || min(edge.x, edge.y + 0.06) < more) sum += exp2(float(layer));
    }
    return sum;
}

// The colour of a petal at a place on it, and how much of the place it covers. It is 2 long along x; `fine` is a pixel there.
vec4 drawn(vec2 d, vec4 own, float fine) {
    float facing = own.z, steep = slope(own);
    vec2 q = turned(d, own);
    q.y -= BEND * steep * (1.0 - q.x * q.x);
    float half1 = sqrt(max(1.0 - q.x * q.x, 0.0)) * (0.68 + 0.32 * q.x) * breadth(own) + 1e-4;
    float across = clamp(q.y / half1, -1.0, 1.0), cleft = 0.16 * smoothstep(0.22, 0.0, abs(q.y)) * abs(facing);
    float rim = min(half1 - abs(q.y), 0.6 * min(1.0 - cleft - q.x, 1.0 + q.x));

    // Its colours: those of two places of the picture, at its heart and at its rim; veins run between them.
    vec4 luck = dice(word(uint(abs(own.w)) + 7u)), tone = IMG_NORM_PIXEL(tints, 0.2 + 0.6 * luck.xy + 0.14 * (q.x + 0.3) * (luck.zw - 0.5));
    float vein = sway(3.0 * across * (1.2 - 0.4 * q.x) + 0.25), tip = 0.5 + 0.5 * q.x;
    vec3 colour = mix(texelFetch(mean, ivec2(0), 0).rgb, tone.rgb, 0.75 * smoothstep(0.1, 0.5, tone.a));
    colour *= (0.72 + 0.4 * tip) * (1.0 + 0.07 * vein);
    if (facing < 0.0) colour = mix(colour, back.rgb * (0.9 + 0.05 * vein), 0.3 + 0.4 * tip);
    // A bowl: the light falls on it as it faces us here, and shines through where it stands on its edge.
    float here = abs(facing - 0.9 * across * steep), lit = 0.22 + 0.78 * here * (1.6 - 0.6 * here) - 0.18 * smoothstep(0.2, -1.0, q.x);
    colour *= lit + 0.35 * (1.0 - abs(facing));
    colour += 0.2 * back.rgb * lit * smoothstep(0.1, 0.02, rim) * abs(facing);
    return vec4(colour, smoothstep(-fine, fine, rim));
}

void main() {
    ivec2 cell = ivec2(gl_FragCoord.xy);
    if (PASSINDEX == 0) {
        gl_FragColor = tint(vec2(cell) / 8.0);
        return;
    }
    if (PASSINDEX == 1) {
        gl_FragColor = overall();
        return;
    }
    if (PASSINDEX == 2) {
        gl_FragColor = blown(cell.x, cell.y);
        return;
    }
    if (PASSINDEX == 3) {
        gl_FragColor = petal(ivec2(cell.x & (SPAN - 1), cell.y & (LANES - 1)), cell.y / LANES, cell.x < SPAN);
        return;
    }
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 shape = RENDERSIZE / unit, p = (isf_FragNormCoord - 0.5) * shape, place = along(p);
    if (PASSINDEX == 4) {  // to search is dear; here a pixel does it for sixteen
        gl_FragColor = vec4(reaching(place, 1.1 / unit), 0.0, 0.0, 1.0);
        return;
    }
    vec2 from = (light - 0.5) * shape - p;
    float shine = exp(-dot(from, from) / (reach * reach)), seen = 1.0;
    vec3 colour = vec3(0.0);
    int left = int(texelFetch(reached, ivec2(isf_FragNormCoord * IMG_SIZE(reached)), 0).r + 0.5);
    do {  // from the nearest layer to the farthest; software GL goes through the body of any loop once
        int layer = max(findLSB(left), 0);
        ivec2 at;
        vec2 edge;
        vec3 d = within(place, layer, at, edge);
        float size1 = max(d.z, 1e-3), deep = float(layer) / float(LAYERS - 1), blur = 0.05 * max(1.0 - 4.0 * deep, 0.0) + 0.02 * deep;
        vec4 own = texelFetch(petals, at + ivec2(SPAN, 0), 0), one = drawn(d.xy / size1, own, 1.0 / unit / big(layer) / size1 + blur);
        one.a *= left > 0 ? step(1e-3, d.z) : 0.0;
        float bright = (0.1 + 1.3 * shine) * (1.0 + 0.15 * snap) * mix(1.0, 0.6, deep) * min(1.5 * deep + 0.65, 1.0);
        float glint = sparkle * step(0.8, fract(0.37 * abs(own.w) + floor(TIME * 9.0) * 0.618)) * step(0.2, deep);
        colour += seen * one.a * (one.rgb * bright + back.rgb * glint * (0.25 + 0.75 * shine));
        seen *= 1.0 - one.a;
        left &= left - 1;
    } while (left > 0 && seen > 0.02);
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(here.rgb, colour + seen * night.rgb, amount), here.a);
}
