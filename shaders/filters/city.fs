/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A city at night: where the picture is bright, people are awake, and light climbs up the houses with a hit.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Geometry"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the city", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "floors", "LABEL": "Floors along the short side, of the nearest houses", "TYPE": "float", "DEFAULT": 22, "MIN": 8, "MAX": 60},
    {"NAME": "height", "LABEL": "Height of the houses", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "awake", "LABEL": "Lit windows where the picture is dark", "TYPE": "float", "DEFAULT": 0.15, "MIN": 0, "MAX": 1},
    {"NAME": "travel", "LABEL": "Way along the streets; near houses pass faster", "TYPE": "float", "DEFAULT": 0, "MIN": -10000, "MAX": 10000, "WRAP": true},
    {"NAME": "hit", "LABEL": "Light climbs up the houses", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "Some houses change their colour", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "sparkle", "LABEL": "Lamps on the roofs", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "sky", "LABEL": "Sky", "TYPE": "color", "DEFAULT": [0.0, 0.004, 0.024, 1]},
    {"NAME": "haze", "LABEL": "Light over the houses", "TYPE": "color", "DEFAULT": [0.16, 0.05, 0.36, 1]},
    {"NAME": "warm", "LABEL": "Windows", "TYPE": "color", "DEFAULT": [1.0, 0.78, 0.36, 1]},
    {"NAME": "cool", "LABEL": "Other windows", "TYPE": "color", "DEFAULT": [0.1, 0.75, 1.0, 1]},
    {"NAME": "alarm", "LABEL": "Lamps on the roofs", "TYPE": "color", "DEFAULT": [1.0, 0.1, 0.2, 1]}
  ]
}*/

const int STREETS = 3;

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

vec4 chance(uint dice) {
    return vec4(dice & 255u, (dice >> 8u) & 255u, (dice >> 16u) & 255u, dice >> 24u) / 255.0;
}

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

float inside(float x, float low, float high, float pixel) {  // 1 between low and high, with soft ends
    return clamp((x - low) / pixel + 0.5, 0.0, 1.0) * clamp((high - x) / pixel + 0.5, 0.0, 1.0);
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y), pixel = 1.0 / unit;
    vec2 shape = RENDERSIZE / unit, p = (isf_FragNormCoord - vec2(0.5, 0.0)) * shape;
    vec3 colour = sky.rgb + haze.rgb * (1.0 + 0.5 * hit) * exp(-2.2 * max(p.y / shape.y - 0.3, 0.0));
    for (int street = 0; street < STREETS; street++) {  // from the farthest to the nearest
        float near = float(street) / float(STREETS - 1), size = mix(0.45, 1.0, near), wide = 0.44 * size;
        float along = p.x / wide + 0.31 * float(street) + travel / size * mix(0.4, 1.0, near), house = floor(along);
        uint name = word(uint(int(house) + 9000) + word(uint(street)));
        vec4 own = chance(name);
        // The house: its walls, its roof, and a step in it.
        float x = (along - house - 0.5) * wide, half1 = wide * (0.34 + 0.13 * own.x), tall = 1.0 / (floors / size);
        float storeys = floor((0.25 + 1.15 * height * (0.25 + own.y * own.y) * mix(1.25, 0.85, near)) * shape.y / tall * mix(0.95, 0.85, near));
        float roof = storeys * tall, count = floor(5.0 + 5.0 * own.z), slim = half1 * (1.0 - 2.0 * floor(1.0 + 0.25 * own.x * count) / count), step1 = roof + tall * floor(own.w * 5.0);
        float body = max(inside(x, -half1, half1, pixel) * clamp((roof - p.y) / pixel + 0.5, 0.0, 1.0), inside(x, -slim, slim, pixel) * clamp((step1 - p.y) / pixel + 0.5, 0.0, 1.0));
        vec3 wall = mix(sky.rgb + 0.35 * haze.rgb, sky.rgb + 0.02 * haze.rgb, near) * (0.8 + 0.5 * x / half1);
        // A window: where it is, what the picture says there.
        float each = 2.0 * half1 / count, column = floor((x + half1) / each), floor1 = floor(p.y / tall);
        vec2 q = vec2((x + half1) / each - column, p.y / tall - floor1);
        vec4 luck = chance(word(name + uint(int(column)) * 7u + uint(int(floor1)) * 131u));
        vec2 at = vec2((p.x + (0.5 - q.x) * each) / shape.x + 0.5, (floor1 + 0.5) * tall / shape.y);
        vec3 c = IMG_NORM_PIXEL(inputImage, clamp(at, 0.0, 1.0)).rgb;
        float value = max(c.r, max(c.g, c.b)), moment = luck.x + 0.12 * sway(0.03 * TIME * (0.5 + luck.y) + luck.z);
        float climbed = floor1 / max(storeys, 1.0), front = climbed - 1.25 * (1.0 - hit), wave = min(5.0 * hit, 1.0) * exp(-40.0 * front * front);
        float lit = smoothstep(moment - 0.06, moment + 0.06, 0.9 * value + awake * 0.5 + 0.75 * wave);
        float pane = inside(q.x, 0.17, 0.83, pixel / each) * inside(q.y, 0.2, 0.78, pixel / tall) * (0.7 + 0.6 * q.y);
        bool blue = fract(own.x * 3.7) < 0.22 || luck.w > 0.93 || (snap > 0.02 && fract(own.y * 5.3 + own.z) < 0.5 * step(0.02, snap));
        vec3 light = (blue ? cool.rgb : warm.rgb) * (0.45 + 0.35 * luck.y + 0.5 * value + 0.6 * wave + 0.5 * snap * float(blue)) * mix(0.6, 1.0, near);
        float curtain = luck.y > 0.6 ? smoothstep(0.35, 0.45, q.x) : 1.0;
        wall += lit * pane * light * mix(0.45, 1.0, curtain);
        colour = mix(colour, wall, body);
        vec2 lamp = vec2(x, p.y - max(step1, roof) - 0.012 * size);
        colour += alarm.rgb * sparkle * 1.3 * step(0.35, own.w) * exp(-dot(lamp, lamp) * 9000.0 / size);
    }
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(here.rgb, colour, amount), here.a);
}
