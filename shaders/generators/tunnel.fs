/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A dark shaft with lamps: panels light up at random, and each hit travels down the shaft.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Space"],
  "INPUTS": [
    {"NAME": "speed", "LABEL": "Panels a second", "TYPE": "float", "DEFAULT": 1.2, "MIN": -8, "MAX": 8},
    {"NAME": "travel", "LABEL": "Panels passed", "TYPE": "float", "DEFAULT": 0, "MIN": -10000, "MAX": 10000, "WRAP": true},
    {"NAME": "sides", "LABEL": "Panels around", "TYPE": "float", "DEFAULT": 12, "MIN": 3, "MAX": 48},
    {"NAME": "square", "LABEL": "Round to square", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0, "MAX": 1},
    {"NAME": "twist", "LABEL": "Twist", "TYPE": "float", "DEFAULT": 0.12, "MIN": -1, "MAX": 1},
    {"NAME": "lamps", "LABEL": "Share of lit panels", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "Hit: panels of the first colour", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "Snap: panels of the second colour", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "bend", "LABEL": "Bend", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 1},
    {"NAME": "ground", "LABEL": "Dark", "TYPE": "color", "DEFAULT": [0.0, 0.0, 0.012, 1]},
    {"NAME": "first", "LABEL": "First lamps", "TYPE": "color", "DEFAULT": [1.0, 0.36, 0.08, 1]},
    {"NAME": "second", "LABEL": "Second lamps", "TYPE": "color", "DEFAULT": [0.1, 0.55, 0.95, 1]},
    {"NAME": "frame", "LABEL": "Frame", "TYPE": "color", "DEFAULT": [0.09, 0.05, 0.16, 1]}
  ]
}*/

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 p = (isf_FragNormCoord - 0.5) * RENDERSIZE / unit;
    vec2 aim = 0.22 * bend * vec2(sway(TIME * 0.033), sway(TIME * 0.027 + 0.25));
    float depth = 1.0;
    vec2 q = p - aim;
    // |x|^8 stands in for the square's corner: smooth, so that lamps do not tear at the diagonal.
    vec2 q2 = q * q, q4 = q2 * q2, q8 = q4 * q4;
    float radius = mix(sqrt(q2.x + q2.y), sqrt(sqrt(sqrt(q8.x + q8.y))), square);
    depth = 0.42 / max(radius, 0.004);
    float z = depth * 2.2 + TIME * speed + travel;
    float around = floor(sides + 0.5);
    float angle = (atan(q.y, q.x) / 6.2831853 + twist * depth * 0.16 + 0.004 * TIME) * around;
    vec2 panel = vec2(mod(floor(angle), around), floor(z)), inside = vec2(fract(angle), fract(z)) - 0.5;

    uint dice = word(uint(int(panel.x)) + 977u * uint(int(panel.y) + 65536));
    float chance = float(dice & 1023u) / 1023.0, phase = float((dice >> 10u) & 1023u) / 1023.0;
    bool kind = ((dice >> 20u) & 3u) == 0u;
    float breath = 0.5 + 0.5 * sway(TIME * (0.06 + 0.16 * phase) + 6.4 * phase);
    float on = step(chance, lamps) * (0.25 + 0.5 * breath);
    on += (kind ? snap : hit) * step(chance, 0.25 + 0.6 * lamps) * 0.9;

    float soft = clamp(depth * 0.03, 0.03, 0.5);  // far panels blur instead of flickering
    vec2 edge = smoothstep(vec2(0.45 + soft * 0.2), vec2(0.4 - soft), abs(inside));
    float face = edge.x * edge.y, core = 1.0 - dot(inside, inside) * 2.2;
    float air = exp(-0.16 * depth);
    vec3 lamp = (kind ? second.rgb : first.rgb) * on * core;
    vec3 colour = mix(frame.rgb * 0.5, ground.rgb + frame.rgb * 0.22 * core, face);
    colour = mix(colour, colour + lamp + lamp * lamp * 0.5, face);
    gl_FragColor = vec4(mix(ground.rgb, colour, air * smoothstep(0.0, 0.03, radius)), 1.0);
}
