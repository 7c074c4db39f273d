/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A dandelion clock in the dark: each breath takes seeds from its head and carries them away.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Line"],
  "INPUTS": [
    {"NAME": "centre", "LABEL": "Place of the head", "TYPE": "point2D", "DEFAULT": [0.27, 0.56], "MIN": [0, 0], "MAX": [1, 1]},
    {"NAME": "size", "LABEL": "Size of the head", "TYPE": "float", "DEFAULT": 0.34, "MIN": 0.1, "MAX": 0.8},
    {"NAME": "full", "LABEL": "Share of the seeds that are still there", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1},
    {"NAME": "wind", "LABEL": "Way of the seeds in the air; let it grow", "TYPE": "float", "DEFAULT": 0, "MIN": -10000, "MAX": 10000, "WRAP": true},
    {"NAME": "aloft", "LABEL": "Seeds in the air", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "A breath bends it and lights its edge", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "The light comes from the other side", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "sparkle", "LABEL": "Drops of dew", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "night", "LABEL": "Night", "TYPE": "color", "DEFAULT": [0.0, 0.006, 0.016, 1]},
    {"NAME": "air", "LABEL": "Light behind it", "TYPE": "color", "DEFAULT": [0.02, 0.16, 0.2, 1]},
    {"NAME": "hair", "LABEL": "Its hairs", "TYPE": "color", "DEFAULT": [0.75, 0.9, 0.92, 1]},
    {"NAME": "kernel", "LABEL": "Its seeds, and the light of a breath", "TYPE": "color", "DEFAULT": [1.0, 0.55, 0.2, 1]}
  ],
  "PASSES": [
    {"TARGET": "head", "WIDTH": "20", "HEIGHT": "7", "FLOAT": true},
    {"TARGET": "flying", "WIDTH": "22", "HEIGHT": "2", "FLOAT": true},
    {"TARGET": "around", "WIDTH": "max(floor($WIDTH/16), 8)", "HEIGHT": "max(floor($HEIGHT/16), 8)", "FLOAT": true},
    {}
  ]
}*/

const float PI = 3.14159265;
const int RINGS = 7, FLYING = 22;

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

vec3 chance(uint n) {
    uint a = word(n), b = word(a), c = word(b);
    return vec3(a, b, c) / 4294967295.0;
}

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

float stroke(vec2 p, vec2 a, vec2 b, float width, float pixel) {  // a line from a to b
    vec2 d = b - a, q = p - a;
    float far = length(q - d * clamp(dot(q, d) / dot(d, d), 0.0, 1.0));
    return clamp((width - far) / pixel + 0.5, 0.0, 1.0) * min(1.0, 2.0 * width / pixel);
}

// The parachute of a seed, seen from `tilt` of its side (0 from above): hairs from its middle, each ends in two.
float chute(vec2 p, vec2 up, float radius, float tilt, float pixel) {
    vec2 q = vec2(dot(p, vec2(up.y, -up.x)), dot(p, up)) / radius;
    float whole = length(q);
    q.y = mix(q.y, q.y - 0.62 * dot(q, q) * tilt, tilt) / mix(1.0, 0.5, tilt);  // a bowl, seen from its side
    float far = length(q), turns = atan(q.y, q.x) / (2.0 * PI), hairs = 19.0;
    float off = abs(fract(turns * hairs) - 0.5), width = 0.55 * pixel / radius;
    float split = off - 0.12 * smoothstep(0.6, 1.0, far);
    float arc = abs(split) * 2.0 * PI * far / hairs;
    float line = clamp(1.3 - arc / max(width, 0.012), 0.0, 1.0);
    return line * smoothstep(1.3, 1.1, whole) * smoothstep(1.0, 0.85, far) * (0.35 + 0.65 * far);
}

vec2 shape() {  // the picture in units of its short side
    return RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
}

// The rings of seeds on half a ball: how far out they are, how many each has, and the angle of the first, in turns.
vec3 circle(int ring) {
    float out1 = sin((float(ring) + 0.55) / float(RINGS) * 0.5 * PI);
    return vec3(out1, floor(4.0 + 15.0 * out1), 0.37 * float(ring) + 0.02 * sway(0.03 * TIME + 0.2 * float(ring)));
}

// A seed of the head: its place in sizes of the head, whether it is still there, whether dew hangs on it.
vec4 sitting(int number, int ring) {
    vec3 round = circle(ring), luck = chance(uint(number) + 64u * uint(ring));
    float angle = ((float(number) + 0.5) / round.y + round.z) * 2.0 * PI;
    vec2 way = vec2(cos(angle), sin(angle)), trembling = 0.02 * vec2(sway(0.7 * TIME + luck.y), sway(0.6 * TIME + luck.z));
    vec2 tip = way * round.x * (0.94 + 0.08 * luck.y) + trembling * (1.0 + 4.0 * hit);
    tip.x += 0.1 * hit * hit * (0.5 + 0.5 * way.x);
    return vec4(tip, smoothstep(luck.x - 0.02, luck.x + 0.02, full * 1.04), step(0.6, luck.z));
}

// A seed in the air: it leaves the head, rises and falls with the wind, and goes far away. Its place is `xy` from the middle
// of the frame, in frames, and the second part from there; `zw` are its size and its swing.
vec4 carried(int i, int part) {
    vec3 luck = chance(uint(i) + 900u);
    float trip = fract(wind * (0.6 + 0.6 * luck.x) + luck.y), big = size * (0.2 + 0.28 * luck.x) * smoothstep(0.0, 0.06, trip);
    vec2 from = size * 0.7 * vec2(cos(5.0 * luck.y), sin(5.0 * luck.y)), to = vec2(1.0, 0.1 + luck.z / max(aloft, 0.2));
    float swing = 0.35 + 0.22 * sway(0.23 * TIME + luck.y) + 0.5 * hit;
    if (part == 0)
        return vec4(mix(centre, to, trip) - 0.5, luck.z > aloft ? 0.0 : big, swing);
    return vec4(mix(from, vec2(0.4, 0.0), trip) + vec2(0.0, 0.09 * sway(1.4 * trip + luck.x + 0.04 * TIME)), 0.0, 0.0);
}

vec4 placed(int i) {
    vec4 one = texelFetch(flying, ivec2(i, 0), 0);
    return vec4((one.xy + 0.5) * shape() + texelFetch(flying, ivec2(i, 1), 0).xy, one.zw);
}

vec4 near(vec2 p) {  // the first four seeds in the air, counted from 1, that may reach this part of the frame
    vec4 found = vec4(0.0);
    for (int i = FLYING - 1; i >= 0; i--) {
        vec4 one = placed(i);
        if (one.z > 0.0 && length(p - one.xy) < 1.75 * one.z + 0.03) found = vec4(float(i) + 1.0, found.xyz);
    }
    return found;
}

void main() {
    if (PASSINDEX < 2) {
        ivec2 cell = ivec2(gl_FragCoord.xy);
        gl_FragColor = PASSINDEX == 0 ? sitting(cell.x, cell.y) : carried(cell.x, cell.y);
        return;
    }
    vec2 p = isf_FragNormCoord * shape();
    if (PASSINDEX == 2) {
        gl_FragColor = near(p);
        return;
    }
    float pixel = 1.0 / min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 bow = vec2(0.05 * hit + 0.012 * sway(0.06 * TIME), -0.018 * hit), ball = centre * shape() + bow, d = p - ball;
    float far = length(d) / size;
    vec2 sun = mix(vec2(-0.6, 0.35), vec2(0.75, 0.2), snap);
    vec3 colour = night.rgb + air.rgb * exp(-2.2 * length(d - sun * size)) * (0.8 + 0.5 * hit);
    float bright = 0.35 + 0.65 * clamp(0.5 + dot(d, sun) / size, 0.0, 1.0);

    // The stalk, which bends with the breath.
    float down = clamp((ball.y - p.y) / ball.y, 0.0, 1.0), side = (p.x - ball.x + (bow.x + 0.04) * down * (2.0 - down)) / 0.011;
    float stalk = clamp((1.0 - abs(side)) * 0.011 / pixel + 0.5, 0.0, 1.0) * step(p.y, ball.y);
    colour = mix(colour, hair.rgb * (0.1 + 0.35 * smoothstep(0.2, 1.0, side * sign(sun.x))) * mix(1.0, 0.4, down), stalk);

    if (far < 1.3) {
        float sum = 0.0, lit = 0.0, turns = atan(d.y, d.x) / (2.0 * PI);
        for (int ring = 0; ring < RINGS; ring++) {
            vec3 round = circle(ring);
            float tuft = 0.26 * mix(1.0, 0.8, round.x);
            if (far > round.x + 1.3 * tuft) continue;
            float at = fract(turns - round.z + 2.0) * round.y, first = floor(at - 0.5);
            for (int beside = 0; beside < 2; beside++) {  // from a place, two seeds of a ring can be seen
                float number = mod(first + float(beside) + round.y, round.y);
                vec4 one = texelFetch(head, ivec2(number, ring), 0);
                vec2 tip = one.xy * size, e = d - tip;
                if (one.z <= 0.0) continue;
                vec2 way = tip / length(tip);
                if (dot(d, way) < length(tip)) {
                    float line = clamp(1.3 - abs(dot(d, vec2(way.y, -way.x))) / max(0.0011, 0.5 * pixel), 0.0, 1.0);
                    sum += one.z * line * 0.3 * step(0.12, far);
                    lit += one.z * line * 0.7 * smoothstep(0.16, 0.13, far);
                }
                if (dot(e, e) > 1.8 * tuft * tuft * size * size) continue;
                sum += one.z * (0.3 + 0.7 * round.x) * chute(e, way, tuft * size, round.x * 0.9, pixel);
                lit += one.z * 1.6 * one.w * sparkle * smoothstep(0.011, 0.004, length(e));
            }
        }
        colour = mix(colour, kernel.rgb * (0.12 + 0.25 * bright), smoothstep(0.1, 0.085, far));
        colour += hair.rgb * min(sum, 1.2) * bright * (0.75 + 0.3 * hit);
        colour += kernel.rgb * (min(lit, 1.5) * 0.7 + min(sum, 1.0) * hit * 0.5 * smoothstep(0.5, 1.1, far));
    }
    vec4 some = texelFetch(around, ivec2(isf_FragNormCoord * IMG_SIZE(around)), 0);
    for (int k = 0; k < 4; k++) {
        if (some[k] < 0.5) break;
        vec4 one = placed(int(some[k] - 0.5));
        vec2 e = p - one.xy, up = vec2(sin(one.w), cos(one.w));
        float cloth = chute(e - up * 0.5 * one.z, up, 0.62 * one.z, 0.93, pixel) + 0.7 * stroke(e, -up * 0.6 * one.z, up * 0.4 * one.z, 0.0014, pixel);
        float fruit = stroke(e, -up * 0.6 * one.z, -up * 0.82 * one.z, 0.0045, pixel);
        vec3 light = hair.rgb * min(cloth, 1.0) * (0.55 + 0.45 * hit) + kernel.rgb * (fruit + sparkle * smoothstep(0.014, 0.004, length(e - up * 0.45 * one.z)));
        colour += light * clamp(0.15 + 2.0 * one.z / size, 0.5, 1.0);
    }
    gl_FragColor = vec4(colour, 1.0);
}
