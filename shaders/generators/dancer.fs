/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A dancer in the dark, drawn with a bright rim: sways on the beat, bends the knees on a hit, throws up the arms.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Figure"],
  "INPUTS": [
    {"NAME": "place", "LABEL": "Place of the hips", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [-0.5, -0.5], "MAX": [1.5, 1.5]},
    {"NAME": "size", "LABEL": "Height of the dancer", "TYPE": "float", "DEFAULT": 0.82, "MIN": 0.1, "MAX": 2},
    {"NAME": "beats", "LABEL": "Beats that were danced; let it grow", "TYPE": "float", "DEFAULT": 0, "MIN": -10000, "MAX": 10000, "WRAP": true},
    {"NAME": "speed", "LABEL": "Beats a second that it sways by itself", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 4},
    {"NAME": "wide", "LABEL": "How far it moves", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "The knees bend", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "The arms fly up", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "pose", "LABEL": "Number of the pose; between two it goes from one to the other", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 6000, "WRAP": true},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.0, 0.0, 0.008, 1]},
    {"NAME": "body", "LABEL": "Body", "TYPE": "color", "DEFAULT": [0.05, 0.07, 0.2, 1]},
    {"NAME": "rim", "LABEL": "Rim", "TYPE": "color", "DEFAULT": [1.0, 0.72, 0.45, 1]}
  ],
  "PASSES": [
    {"TARGET": "bones", "WIDTH": "16", "HEIGHT": "2", "FLOAT": true},
    {}
  ]
}*/

const int BONES = 16, LEGS = 4, ARMS = 10;  // those from ARMS on are before the others
const float PI = 3.14159265;

// The knee or elbow between two ends; both parts of the limb are as long.
vec2 joint(vec2 from, vec2 to, float part, float side) {
    vec2 way = to - from;
    float half1 = min(0.5 * length(way), part * 0.999), out1 = sqrt(part * part - half1 * half1);
    vec2 dir = way / max(length(way), 1e-4);
    return from + dir * half1 + side * out1 * vec2(-dir.y, dir.x);
}

vec2 reached(vec2 from, vec2 to, float far) {  // no limb is longer than it is
    vec2 way = to - from;
    return from + way * min(1.0, far / max(length(way), 1e-4));
}

// A pose of a side (0 left, 1 right): how far the arm is turned up and how far the hand is drawn to the shoulder, and where
// the foot goes from its place.
vec4 posed(int number, int side) {
    vec4 left[6] = vec4[6](
        vec4(0.0), vec4(1.9, 0.0, 0.05, 0.0), vec4(1.75, 0.0, 0.0, 0.0), vec4(0.95, 0.0, 0.0, 0.0), vec4(-0.2, 0.15, 0.12, 0.0),
        vec4(0.9, 0.0, 0.13, 0.0));
    vec4 right[6] = vec4[6](
        vec4(0.0), vec4(1.9, 0.0, 0.05, 0.0), vec4(-0.2, 0.14, 0.1, 0.0), vec4(1.3, 0.08, -0.02, 0.24), vec4(2.0, 0.0, 0.18, 0.12),
        vec4(1.3, 0.17, -0.03, 0.0));
    int at = number - 6 * (number / 6);
    return side == 0 ? left[at] : right[at];
}

// A bone, in heights of the dancer from the floor under the hips: its two ends, or how thick it is at each.
vec4 bone(int n, bool first) {
    float t = beats + speed * TIME, swing = sin(PI * t), slow = sin(0.19 * PI * t + 1.0), bounce = abs(cos(PI * t));
    vec2 hips = vec2(0.05 * swing * wide, 0.515 - 0.025 * wide * bounce - 0.07 * hit);
    float lean = 0.1 * wide * slow - 0.12 * swing * wide;
    vec2 up = vec2(sin(lean), cos(lean)), across = vec2(up.y, -up.x), chest = hips + 0.25 * up;
    float nod = lean - 0.14 * swing * wide + 0.1 * hit;
    vec2 head = chest + vec2(sin(nod), cos(nod)) * 0.14;
    vec4 ends = vec4(0.0);
    vec2 thick = vec2(0.0);
    if (n == 0) { ends = vec4(hips, chest - 0.05 * up); thick = vec2(0.06, 0.066); }
    if (n == 1) { ends = vec4(chest - 0.062 * across, chest + 0.062 * across); thick = vec2(0.04); }
    if (n == 2) { ends = vec4(chest, head); thick = vec2(0.026, 0.022); }
    if (n == 3) { ends = vec4(head, head + 0.25 * (head - chest)); thick = vec2(0.042, 0.049); }
    float side = (n & 1) == 0 ? -1.0 : 1.0, own = swing * side, between = smoothstep(0.0, 1.0, fract(pose));
    vec4 stands = mix(posed(int(pose), n & 1), posed(int(pose) + 1, n & 1), between);  // from LEGS on: left, right, left, right …
    if (n >= LEGS && n < ARMS) {
        float lift = 0.09 * wide * max(-own, 0.0) * (1.0 - hit);
        vec2 top = hips + side * vec2(0.04, -0.012), foot = vec2(side * (0.11 + 0.05 * hit + stands.z), 0.045 + lift + stands.w);
        foot = reached(top, foot, 0.45);
        vec2 knee = joint(top, foot, 0.23, side), toe = foot + vec2(side * 0.05, -0.02 - 0.3 * lift);
        ends = n < 6 ? vec4(top, knee) : n < 8 ? vec4(knee, foot) : vec4(foot, toe);
        thick = n < 6 ? vec2(0.052, 0.036) : n < 8 ? vec2(0.036, 0.02) : vec2(0.021, 0.013);
    }
    if (n >= ARMS) {
        vec2 shoulder = chest + side * 0.085 * across + 0.005 * up;
        float turns = wide * (0.95 * sin(0.382 * PI * t + 1.3 * side) + 0.5 * slow * side + 0.5) - 0.9;
        turns = min((turns + 0.9) * (1.0 - 0.5 * min(pose, 1.0)) - 0.9 + stands.x + 1.6 * snap * (1.0 - 0.2 * side), 1.4);
        vec2 hand = shoulder + vec2(side * cos(turns), sin(turns)) * (0.25 + 0.05 * own * wide + 0.05 * snap - stands.y);
        hand = reached(shoulder, hand, 0.315);
        vec2 elbow = joint(shoulder, hand, 0.16, turns > 0.1 ? side : -side);
        ends = n < 12 ? vec4(shoulder, elbow) : n < 14 ? vec4(elbow, hand) : vec4(hand, hand + 0.035 * normalize(hand - elbow));
        thick = n < 12 ? vec2(0.033, 0.026) : n < 14 ? vec2(0.026, 0.017) : vec2(0.02, 0.011);
    }
    return first ? ends : vec4(thick, 0.0, 0.0);
}

float merged(float a, float b, float soft) {  // the union of two bodies, with a soft seam (Quilez 2013)
    float h = max(soft - abs(a - b), 0.0) / soft;
    return min(a, b) - 0.25 * soft * h * h;
}

float outside(vec2 p, int n) {  // how far a place is from the skin of a bone
    vec4 ends = texelFetch(bones, ivec2(n, 0), 0);
    vec2 thick = texelFetch(bones, ivec2(n, 1), 0).xy, way = ends.zw - ends.xy, q = p - ends.xy;
    float along = clamp(dot(q, way) / max(dot(way, way), 1e-6), 0.0, 1.0);
    return length(q - along * way) - mix(thick.x, thick.y, along);
}

vec3 lit(float far, vec3 behind, float pixel) {
    vec3 skin = mix(body.rgb, rim.rgb, smoothstep(-0.022, -0.002, far) * 0.9);
    return mix(behind, skin, clamp(0.5 - far / pixel, 0.0, 1.0));
}

void main() {
    if (PASSINDEX == 0) {
        gl_FragColor = bone(int(gl_FragCoord.x), gl_FragCoord.y < 1.0);
        return;
    }
    float unit = min(RENDERSIZE.x, RENDERSIZE.y), pixel = 1.0 / unit / size;
    vec2 p = (isf_FragNormCoord - place) * RENDERSIZE / unit / size + vec2(0.0, 0.5);
    float trunk = 1.0, left = 1.0, right = 1.0;
    bool near = abs(p.x) < 0.62;  // no limb reaches farther
    int trunks = near ? ARMS : 0, all = near ? BONES : 0;
    for (int n = 0; n < trunks; n++) trunk = merged(trunk, outside(p, n), 0.035);
    for (int n = ARMS; n < all; n += 2) {
        left = merged(left, outside(p, n), 0.012);
        right = merged(right, outside(p, n + 1), 0.012);
    }
    vec3 colour = lit(trunk, ground.rgb, pixel);
    gl_FragColor = vec4(lit(right, lit(left, colour, pixel), pixel), 1.0);
}
