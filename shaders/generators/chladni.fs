/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Sand on a sounding plate gathers where the plate does not move. After Ernst Chladni, 1787.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Geometry"],
  "INPUTS": [
    {"NAME": "mode", "LABEL": "Figure; fractions lie between two figures", "TYPE": "float", "DEFAULT": 3, "MIN": 0, "MAX": 1000, "WRAP": true},
    {"NAME": "drift", "LABEL": "Figures a minute by themselves", "TYPE": "float", "DEFAULT": 4, "MIN": 0, "MAX": 30},
    {"NAME": "order", "LABEL": "Fineness of the figures", "TYPE": "float", "DEFAULT": 4, "MIN": 2, "MAX": 12},
    {"NAME": "width", "LABEL": "Width of the sand", "TYPE": "float", "DEFAULT": 0.026, "MIN": 0.004, "MAX": 0.1},
    {"NAME": "size", "LABEL": "Size of a grain, in thousandths of the height", "TYPE": "float", "DEFAULT": 2.4, "MIN": 1.5, "MAX": 12},
    {"NAME": "hit", "LABEL": "Blow on the plate", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "glow", "LABEL": "Light of the moving plate", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "plate", "LABEL": "Plate", "TYPE": "color", "DEFAULT": [0.0, 0.004, 0.012, 1]},
    {"NAME": "sand", "LABEL": "Sand", "TYPE": "color", "DEFAULT": [1.0, 0.8, 0.45, 1]},
    {"NAME": "motion", "LABEL": "Moving plate", "TYPE": "color", "DEFAULT": [0.03, 0.16, 0.62, 1]}
  ],
  "PASSES": [
    {"TARGET": "wave", "WIDTH": "max(floor($WIDTH/4), 16)", "HEIGHT": "max(floor($HEIGHT/4), 16)", "FLOAT": true},
    {}
  ]
}*/

const float PI = 3.14159265;

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

// Height and slope of a free square plate in one of its modes: [height, d/dx, d/dy].
// Ritz (1909) sums such pairs; their mixture t is what gives curves instead of squares.
vec3 figure(vec2 p, float which) {
    uint dice = word(uint(which) + 11u);
    float n = 2.0 + float(dice % uint(order - 1.0)), m = n + 2.0 + float((dice >> 8u) % uint(order));
    float t = (dice & 0x10000u) == 0u ? 0.35 + 0.65 * float((dice >> 17u) & 255u) / 255.0
                                      : -0.35 - 0.65 * float((dice >> 17u) & 255u) / 255.0;
    vec2 a = 0.5 * PI * n * (p + 1.0), b = 0.5 * PI * m * (p + 1.0);
    vec2 ca = cos(a), cb = cos(b), sa = -0.5 * PI * n * sin(a), sb = -0.5 * PI * m * sin(b);
    return vec3(ca.x * cb.y, sa.x * cb.y, ca.x * sb.y) + t * vec3(cb.x * ca.y, sb.x * ca.y, cb.x * sa.y);
}

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

void main() {
    vec2 shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
    float number = mode + TIME * drift / 60.0, blend = smoothstep(0.3, 0.7, fract(number));
    if (PASSINDEX == 0) {
        vec2 p = (isf_FragNormCoord - 0.5) * shape * 2.0;
        vec3 w = mix(figure(p, number), figure(p, number + 1.0), blend);
        // signed distance to the nearest still line, first order, and the height
        gl_FragColor = vec4(w.x / sqrt(dot(w.yz, w.yz) + 4.0), w.x, 0.0, 1.0);
        return;
    }
    // The grains lie where chance put them: each pixel asks the plate under its own grain.
    float unit = min(RENDERSIZE.x, RENDERSIZE.y), side = max(0.001 * size * unit, 1.5);
    vec2 grid = (isf_FragNormCoord - 0.5) * RENDERSIZE / side;
    vec2 row = vec2(0.37 * mod(floor(grid.y), 7.0), 0.0);  // rows shifted: no columns to be seen
    vec2 cell = floor(grid + row);
    uint dice = word(uint(int(cell.x) + 4096) + word(uint(int(cell.y) + 4096)));
    vec2 grain = cell + 0.25 + 0.5 * vec2(dice & 1023u, (dice >> 10u) & 1023u) / 1023.0 - row;
    vec2 plateAt = IMG_NORM_PIXEL(wave, grain * side / RENDERSIZE + 0.5).xy;

    float spread = width * (1.0 + 1.1 * hit + 0.8 * (1.0 - abs(2.0 * blend - 1.0)));
    float x = plateAt.x / spread, density = 0.92 / (1.0 + x * x * x * x) + 0.012;
    float chance = float(dice >> 20u) / 4095.0, shine = fract(chance * 61.0);
    float round = clamp((0.62 + 0.25 * shine - length(grid - grain)) * side, 0.0, 1.0);
    float lit = round * step(chance, density) * (0.7 + 0.3 * shine);
    float moving = plateAt.y * plateAt.y * (0.35 + 0.1 * sway(TIME * 0.11 + 0.32 * plateAt.y) + 0.9 * hit);
    // dust hangs over the sand: without it the grains are too sparse to read as gold from far away
    vec3 ground = plate.rgb + motion.rgb * glow * moving + sand.rgb * (density * density * 0.16);
    gl_FragColor = vec4(mix(ground, sand.rgb, lit), 1.0);
}
