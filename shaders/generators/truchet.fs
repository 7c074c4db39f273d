/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Ribbons that run over a field of tiles; each turned tile changes their way. After Sebastien Truchet, 1704.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Geometry"],
  "INPUTS": [
    {"NAME": "tiles", "LABEL": "Tiles along the short side", "TYPE": "float", "DEFAULT": 5, "MIN": 1.5, "MAX": 16},
    {"NAME": "seed", "LABEL": "Way of the ribbons; tiles turn one by one between whole numbers", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 10000, "WRAP": true},
    {"NAME": "strands", "LABEL": "Strands in a ribbon", "TYPE": "float", "DEFAULT": 3, "MIN": 1, "MAX": 7},
    {"NAME": "width", "LABEL": "Width of a ribbon", "TYPE": "float", "DEFAULT": 0.52, "MIN": 0.1, "MAX": 0.9},
    {"NAME": "run", "LABEL": "Speed of the lights along the ribbons", "TYPE": "float", "DEFAULT": 0.25, "MIN": -2, "MAX": 2},
    {"NAME": "lights", "LABEL": "Length of the lights", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "Flare", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "turn", "LABEL": "Turn of the field", "TYPE": "float", "DEFAULT": 0.125, "MIN": -1000, "MAX": 1000, "WRAP": true},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.004, 0.004, 0.016, 1]},
    {"NAME": "ribbon", "LABEL": "Ribbon", "TYPE": "color", "DEFAULT": [0.1, 0.06, 0.3, 1]},
    {"NAME": "light", "LABEL": "Lights", "TYPE": "color", "DEFAULT": [1.0, 0.55, 0.16, 1]},
    {"NAME": "second", "LABEL": "Second lights", "TYPE": "color", "DEFAULT": [0.1, 0.85, 0.75, 1]}
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
    vec2 p = (isf_FragNormCoord - 0.5) * RENDERSIZE / unit * tiles;
    float ct = sway(turn + 0.25), st = sway(turn);
    p = mat2(ct, st, -st, ct) * p + vec2(0.04, 0.023) * TIME;
    vec2 cell = floor(p), q = p - cell - 0.5;
    uint name = word(uint(int(cell.x) + 40000) + word(uint(int(cell.y) + 40000)));
    uint before = word(name + uint(seed)), next = word(name + uint(seed) + 1u);
    // Between two throws each tile has its own moment for its quarter turn; at whole numbers all lie still.
    float moment = 0.15 + 0.85 * float(name >> 20u) / 4096.0;
    float quarter = mix(float(before & 1u), float(next & 1u), smoothstep(moment - 0.15, moment, fract(seed)));
    float c = sway(0.25 * quarter + 0.25), s = sway(0.25 * quarter);
    q = mat2(c, s, -s, c) * q;

    // Two quarter circles about opposite corners of the tile.
    float corner = q.x + q.y > 0.0 ? 1.0 : -1.0;
    vec2 d = 0.5 * corner - q;
    float across = (length(d) - 0.5) / (0.5 * width);  // -1..1 over the ribbon
    float pixel = 2.0 * tiles / unit / width;
    float cover = clamp((1.0 - abs(across)) / pixel + 0.5, 0.0, 1.0);
    float count = floor(strands + 0.5), lane = (across * 0.5 + 0.5) * count;
    float strand = floor(lane), inside = abs(fract(lane) - 0.5) * 2.0;
    float edge = clamp((0.82 - inside) / (pixel * count) + 0.5, 0.0, 1.0);
    // Light is a function of the place, so it goes on from tile to tile whichever way they lie.
    // Strands are counted from the middle: left and right change sides where two arcs meet.
    float kind = abs(2.0 * strand - count + 1.0) * 0.5;
    float phase = dot(p, vec2(0.11, 0.17)) + 0.37 * kind - TIME * run * (1.0 - 0.21 * kind);
    float pulse = abs(fract(phase) * 2.0 - 1.0);
    float lit = clamp((pulse - 1.0 + lights * (1.0 + hit)) * 4.0, 0.0, 1.0);
    float round = sqrt(max(1.0 - inside * inside, 0.0));
    vec3 tone = fract(kind * 0.5 + 0.1) > 0.5 ? light.rgb : second.rgb;
    vec3 colour = mix(ribbon.rgb, tone * (0.8 + 0.4 * hit), lit) * (0.25 + 0.75 * round);
    gl_FragColor = vec4(mix(ground.rgb, colour, cover * edge), 1.0);
}
