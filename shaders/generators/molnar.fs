/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A grid of squares within squares; chance puts them out of order. After Vera Molnar's (Des)Ordres, 1974.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Geometry"],
  "INPUTS": [
    {"NAME": "columns", "LABEL": "Cells along the short side", "TYPE": "float", "DEFAULT": 7, "MIN": 2, "MAX": 30},
    {"NAME": "squares", "LABEL": "Squares in a cell", "TYPE": "float", "DEFAULT": 5, "MIN": 1, "MAX": 9},
    {"NAME": "disorder", "LABEL": "Disorder", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0, "MAX": 1},
    {"NAME": "chance", "LABEL": "Squares left out", "TYPE": "float", "DEFAULT": 0.22, "MIN": 0, "MAX": 1},
    {"NAME": "accents", "LABEL": "Squares in the accent colour", "TYPE": "float", "DEFAULT": 0.1, "MIN": 0, "MAX": 1},
    {"NAME": "weight", "LABEL": "Line weight", "TYPE": "float", "DEFAULT": 0.13, "MIN": 0.02, "MAX": 0.6},
    {"NAME": "seed", "LABEL": "Random draw; fractions lie between two draws", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 10000, "WRAP": true},
    {"NAME": "hit", "LABEL": "Wave of disorder from the centre", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "life", "LABEL": "Slow movement", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 1},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.012, 0.012, 0.02, 1]},
    {"NAME": "ink", "LABEL": "Ink", "TYPE": "color", "DEFAULT": [0.95, 0.9, 0.8, 1]},
    {"NAME": "accent", "LABEL": "Accent", "TYPE": "color", "DEFAULT": [0.96, 0.2, 0.07, 1]}
  ]
}*/

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

float part(uint word, uint which) {  // one of the four numbers in a word, -1..1
    return float((word >> (8u * which)) & 255u) / 127.5 - 1.0;
}

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

float segment(vec2 p, vec2 a, vec2 b) {
    vec2 pa = p - a, ba = b - a;
    vec2 d = pa - ba * clamp(dot(pa, ba) / dot(ba, ba), 0.0, 1.0);
    return dot(d, d);
}

// Distance to a square whose four corners have strayed by the numbers in x and y. The corner of the
// pixel's own quadrant and the two beside it are enough: the far sides are never the nearest.
float outline(vec2 p, float r, uint x, uint y, float stray) {
    vec2 side = vec2(p.x < 0.0 ? -1.0 : 1.0, p.y < 0.0 ? -1.0 : 1.0);
    uint own = (p.x < 0.0 ? 0u : 1u) + (p.y < 0.0 ? 0u : 2u), across = own ^ 1u, above = own ^ 2u;
    vec2 a = r * side + stray * vec2(part(x, own), part(y, own));
    vec2 b = r * vec2(-side.x, side.y) + stray * vec2(part(x, across), part(y, across));
    vec2 c = r * vec2(side.x, -side.y) + stray * vec2(part(x, above), part(y, above));
    return sqrt(min(segment(p, a, b), segment(p, a, c)));
}

void main() {
    float shortSide = min(RENDERSIZE.x, RENDERSIZE.y);
    float size = shortSide * 0.9 / columns;  // pixels a cell
    vec2 cells = max(floor((RENDERSIZE - 0.1 * shortSide) / size + 0.01), 1.0);
    vec2 grid = (isf_FragNormCoord - 0.5) * RENDERSIZE / size + 0.5 * cells;
    vec2 cell = floor(grid), p = grid - cell - 0.5;
    uint name = word(uint(int(cell.x)) + 517u * uint(int(cell.y)));
    // Between two throws the cells go over one by one, each at its own moment.
    float own = float(name >> 22u) / 1024.0;
    uint key = name + 7919u * uint(seed + own);
    uint fate = word(key);

    // Calm and unrest wander over the sheet; a hit travels outwards as it decays.
    vec2 place = (cell + 0.5 - 0.5 * cells) / max(cells.x, cells.y) * 2.0;
    float unrest = 0.5 + 0.5 * sway(place.x * 0.41 + TIME * 0.017 + 0.3 * sway(place.y * 0.3 - TIME * 0.011));
    float front = length(place) - 1.3 * (1.0 - hit);
    float wave = hit * max(1.0 - 5.0 * front * front, 0.0);
    float amount = disorder * mix(0.1, 1.0, unrest) + 0.9 * wave;

    float turn = 0.5 * amount * amount * part(fate, 0u) + 0.04 * life * sway(TIME * 0.06 + own);
    vec2 q = p + turn * vec2(-p.y, p.x);  // small turns need no sine
    float count = max(floor(squares + 0.5), 1.0), gap = 0.4 / count;
    float near = max(abs(q.x), abs(q.y)) / gap, pixel = 1.0 / size;
    float width = gap * weight * (1.0 + 0.8 * wave);
    vec3 colour = ground.rgb;
    // A square strays by less than its gap, so only the three nearest can touch this pixel.
    for (int i = -1; i <= 1; i++) {
        float ring = floor(near + 0.5) + float(i);
        uint x = word(key + 40503u * uint(int(ring))), y = word(x + 1u), dice = word(y + 1u);
        float stray = gap * amount * (0.85 + 0.35 * life * sway(TIME * 0.09 + part(dice, 2u)));
        float d = outline(q, ring * gap, x, y, stray);
        float drawn = 0.5 + 0.5 * part(dice, 0u) >= chance && ring >= 1.0 && ring <= count ? 1.0 : 0.0;
        bool chosen = 0.5 + 0.5 * part(dice, 1u) < accents * (1.0 + wave);
        float line = clamp((width * (chosen ? 1.7 : 1.0) - d) / pixel + 0.5, 0.0, 1.0);
        colour = mix(colour, chosen ? accent.rgb : ink.rgb, line * drawn);
    }
    vec2 sheet = step(vec2(0.0), cell) * step(cell, cells - 0.5);
    gl_FragColor = vec4(mix(ground.rgb, colour, sheet.x * sheet.y), 1.0);
}
