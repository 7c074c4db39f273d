/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The picture as a mosaic of small stones in arcs; what is dark in it becomes gold, which glints where a light passes.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Geometry"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the mosaic", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "stones", "LABEL": "Stones along the short side", "TYPE": "float", "DEFAULT": 52, "MIN": 10, "MAX": 120},
    {"NAME": "centre", "LABEL": "Where the arcs have their centre", "TYPE": "point2D", "DEFAULT": [0.34, -0.3], "MIN": [-1, -1], "MAX": [2, 2]},
    {"NAME": "slide", "LABEL": "Moves the picture sideways", "TYPE": "float", "DEFAULT": 0, "MIN": -1, "MAX": 1},
    {"NAME": "zoom", "LABEL": "Size of the picture", "TYPE": "float", "DEFAULT": 1, "MIN": 0.5, "MAX": 4},
    {"NAME": "light", "LABEL": "Place of the light", "TYPE": "point2D", "DEFAULT": [0.7, 0.6], "MIN": [-1, -1], "MAX": [2, 2]},
    {"NAME": "reach", "LABEL": "How far the light reaches", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.05, "MAX": 2},
    {"NAME": "hit", "LABEL": "A ring of light runs out from the centre of the arcs", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "All stones shine", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "sparkle", "LABEL": "Single stones glint", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "gold", "LABEL": "Gold", "TYPE": "color", "DEFAULT": [1.0, 0.66, 0.16, 1]},
    {"NAME": "mortar", "LABEL": "Between the stones", "TYPE": "color", "DEFAULT": [0.012, 0.008, 0.008, 1]}
  ]
}*/

const float TURN = 6.2831853;

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 shape = RENDERSIZE / unit, p = isf_FragNormCoord * shape, middle = centre * shape, d = p - middle;
    // A ring of the arcs, and in it a stone: as many as fit, each ring begins at another angle.
    float out1 = length(d) * stones, ring = floor(out1), many = max(floor(TURN * (ring + 0.5) * 0.9), 1.0);
    uint start = word(uint(ring) + 77u);
    float along = fract(atan(d.y, d.x) / TURN + float(start & 255u) / 256.0) * many, number = floor(along);
    uint dice = word(uint(number) + word(start)), more = word(dice);
    vec4 luck = vec4(dice & 255u, (dice >> 8u) & 255u, (dice >> 16u) & 255u, dice >> 24u) / 255.0;
    vec2 own = vec2(more & 255u, (more >> 8u) & 255u) / 255.0;
    float angle = ((number + 0.5) / many - float(start & 255u) / 256.0) * TURN;
    vec2 way = vec2(cos(angle), sin(angle)), place = middle + way * (ring + 0.5) / stones;

    // The stone: a square a little turned, never quite as large as its place.
    vec2 q = vec2((along - number - 0.5) * TURN * (ring + 0.5) / many, out1 - ring - 0.5);
    float lean = 0.3 * (luck.x - 0.5);
    q = vec2(q.x - lean * q.y, q.y + lean * q.x) + 0.06 * (own - 0.5);
    vec2 room = vec2(0.47, 0.41) - 0.09 * luck.yz;
    vec2 rim = abs(q) - room;
    float edge = max(rim.x, rim.y) + 0.15 * max(rim.x + rim.y + 0.1, 0.0), pixel = stones / unit;
    float stone = clamp(0.5 - edge / pixel, 0.0, 1.0);

    vec2 at = (place / shape - vec2(0.5 + slide, 0.5)) / zoom + 0.5;
    vec3 c = IMG_NORM_PIXEL(inputImage, clamp(at, 0.0, 1.0)).rgb * step(abs(at.x - 0.5), 0.5) * step(abs(at.y - 0.5), 0.5);
    float value = max(c.r, max(c.g, c.b)), painted = step(0.13 + 0.05 * (luck.w - 0.5), value);
    // Glass has few colours: each stone takes a step of light, and a little of its own.
    vec3 glass = c / max(value, 0.01) * (0.12 + floor(value * 5.0 + 0.8 * luck.w) / 5.0);
    glass = max(mix(vec3(dot(glass, vec3(0.3, 0.6, 0.1))), glass, 1.35), 0.0);

    // Every stone lies a little askew, so the light finds each one at another moment.
    vec2 tilt = (luck.xy - 0.5) * 1.5, from = light * shape - place;
    float far = length(from) / reach, lit = exp(-1.3 * far * far);
    float front = (ring / stones - 2.4 * (1.0 - hit)) * 7.0, wave = min(4.0 * hit, 1.0) * exp(-front * front);
    vec2 facing = from / (length(from) + 0.3) - tilt + 0.5 * (own - 0.5);
    float glint = exp(-6.0 * dot(facing, facing));
    float twinkle = sparkle * step(0.93, fract(luck.z + 7.0 * luck.w + floor(TIME * 9.0) * 0.618));
    float face = 0.8 + 0.35 * dot(q, vec2(-0.5, 0.9)) + 0.5 * (luck.z - 0.5);
    float shine = (0.1 + 0.75 * lit) * face + 2.2 * glint * (0.25 + lit) + 1.1 * wave * (0.5 + luck.x) + 0.25 * snap * face;
    vec3 leaf = gold.rgb * gold.rgb * shine * (0.5 + 0.5 * luck.w) + gold.rgb * (0.6 * glint * lit + 0.6 * wave * luck.x + twinkle);
    vec3 enamel = glass * ((1.1 + 0.6 * lit) * face + 0.6 * wave + 0.35 * snap) + 0.25 * (glint * lit + twinkle);
    vec3 colour = mix(mortar.rgb, mix(leaf, enamel, painted), stone);
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(here.rgb, colour, amount), here.a);
}
