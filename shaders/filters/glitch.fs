/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A hit tears bands out of the picture and puts them back where they were.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Distortion"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Strength of the tear", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "hit", "LABEL": "The hit", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "seed", "LABEL": "Random draw", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 10000, "WRAP": true},
    {"NAME": "bands", "LABEL": "Bands", "TYPE": "float", "DEFAULT": 14, "MIN": 2, "MAX": 60},
    {"NAME": "share", "LABEL": "Share of torn bands", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0, "MAX": 1},
    {"NAME": "split", "LABEL": "Colours part in the torn bands", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0, "MAX": 1}
  ]
}*/

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

void main() {
    vec2 uv = isf_FragNormCoord;
    uint throwNumber = uint(seed) * 97u + uint(floor(TIME * 8.0));
    // bands of three heights: the dice merge every few of them
    float row = floor(uv.y * bands);
    uint wide = word(uint(row / 3.0) + 31u * throwNumber), thin = word(uint(row) + 57u * throwNumber);
    uint dice = (wide & 1u) == 0u ? wide : thin;
    float chance = float((dice >> 4u) & 1023u) / 1023.0, way = float((dice >> 14u) & 1023u) / 511.5 - 1.0;
    float torn = step(chance, share) * hit * amount;
    float move = torn * way * 0.35, part = torn * split * 0.03;
    vec2 from = vec2(uv.x + move, uv.y);
    vec4 here = IMG_NORM_PIXEL(inputImage, vec2(1.0 - abs(1.0 - mod(from.x, 2.0)), from.y));
    float red = IMG_NORM_PIXEL(inputImage, vec2(1.0 - abs(1.0 - mod(from.x - part, 2.0)), from.y)).r;
    float blue = IMG_NORM_PIXEL(inputImage, vec2(1.0 - abs(1.0 - mod(from.x + part, 2.0)), from.y)).b;
    gl_FragColor = vec4(red, here.g, blue, here.a);
}
