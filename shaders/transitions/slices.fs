/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The old picture leaves in slices, to both sides, each at its own moment.",
  "CREDIT": "perform",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "Progress", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "slices", "LABEL": "Slices along the short side", "TYPE": "float", "DEFAULT": 9, "MIN": 1, "MAX": 40},
    {"NAME": "angle", "LABEL": "Turn of the slices; 0 lies flat", "TYPE": "float", "DEFAULT": 0.03, "MIN": -1, "MAX": 1},
    {"NAME": "disorder", "LABEL": "One after the other, or in random order", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "shadow", "LABEL": "Shadow on what lies below", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0, "MAX": 1}
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
    vec2 shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y), p = (isf_FragNormCoord - 0.5) * shape;
    vec2 along = vec2(sway(angle + 0.25), sway(angle)), across = vec2(-along.y, along.x);
    float half1 = 0.5 * dot(abs(across), shape), row = floor((dot(p, across) + half1) * slices);
    float count = ceil(2.0 * half1 * slices), chance = float(word(uint(int(row) + 64)) >> 8u) / 16777215.0;
    float wait = mix(clamp(row / max(count - 1.0, 1.0), 0.0, 1.0), chance, disorder) * 0.5;
    float part = clamp((progress - wait) * 2.0, 0.0, 1.0), gone = part * part * (3.0 - 2.0 * part);
    float way = mod(row, 2.0) < 0.5 ? 1.0 : -1.0, length1 = dot(abs(along), shape) * 1.02;
    // the slice slides off; where it has been, the new picture lies
    vec2 from = p - along * way * gone * length1;
    vec2 at = from / shape + 0.5;
    bool covered = part < 1.0 && all(greaterThanEqual(at, vec2(0.0))) && all(lessThanEqual(at, vec2(1.0)));
    vec4 old = IMG_NORM_PIXEL(startImage, at), new = IMG_THIS_PIXEL(endImage);
    vec2 outside = max(abs(from) - 0.5 * shape, 0.0);
    float near = exp(-9.0 * length(outside)) * shadow * step(1e-4, gone) * (1.0 - step(1.0, part));
    gl_FragColor = covered ? old : vec4(new.rgb * (1.0 - near), new.a);
}
