/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The picture in tiles out of order: each tile shows a place beside its own; some are dark.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Geometry"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Disorder", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "tiles", "LABEL": "Tiles along the short side", "TYPE": "float", "DEFAULT": 6, "MIN": 1, "MAX": 40},
    {"NAME": "seed", "LABEL": "Random draw; tiles change one by one between whole numbers", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 10000, "WRAP": true},
    {"NAME": "hit", "LABEL": "Jump of some tiles", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "gap", "LABEL": "Black between tiles", "TYPE": "float", "DEFAULT": 0.1, "MIN": 0, "MAX": 0.5},
    {"NAME": "chance", "LABEL": "Tiles that go out", "TYPE": "float", "DEFAULT": 0.15, "MIN": 0, "MAX": 1}
  ]
}*/

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 shape = RENDERSIZE / unit, grid = (isf_FragNormCoord - 0.5) * shape * tiles;
    vec2 cell = floor(grid), inside = grid - cell - 0.5;
    uint name = word(uint(int(cell.x) + 4096) + word(uint(int(cell.y) + 4096)));
    float own = float(name >> 20u) / 4096.0;
    uint dice = word(name + uint(seed + own));
    vec4 fate = vec4(dice & 255u, (dice >> 8u) & 255u, (dice >> 16u) & 255u, dice >> 24u) / 255.0;
    float chosen = step(0.6, fate.w), strength = amount * (1.0 + 2.0 * hit * chosen);
    // a tile turns and shrinks as it strays; its window on the picture moves with it
    float size = 1.0 - strength * (0.35 * fate.z + gap), turn = 0.5 * amount * amount * (fate.x - 0.5) + 0.3 * amount * hit * chosen * (fate.y - 0.5);
    vec2 q = inside + turn * vec2(-inside.y, inside.x);
    vec2 far = abs(q) - 0.5 * size;
    float pixel = tiles / unit;
    float cover = clamp(0.5 - max(far.x, far.y) / pixel, 0.0, 1.0);
    cover = mix(1.0, cover, step(1e-4, amount));
    float out1 = step(fate.y, chance * min(amount * 2.0, 1.0)) * (1.0 - 0.8 * hit * chosen);
    vec2 look = cell + 0.5 + q + strength * 1.6 * (fate.xy - 0.5);
    vec2 from = look / (tiles * shape) + 0.5;
    vec4 c = IMG_NORM_PIXEL(inputImage, 1.0 - abs(1.0 - mod(from, 2.0)));
    gl_FragColor = vec4(c.rgb * cover * (1.0 - out1), c.a);
}
