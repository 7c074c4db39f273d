/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A field of the picture: it stands in rows up to the horizon, and each row shows an earlier moment than the one before it.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Time"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the field", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "span", "LABEL": "Seconds from the first row to the last", "TYPE": "float", "DEFAULT": 1.2, "MIN": 0.2, "MAX": 6},
    {"NAME": "near", "LABEL": "Size of the first row", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.2, "MAX": 1.5},
    {"NAME": "apart", "LABEL": "Room between two in a row", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.3, "MAX": 1},
    {"NAME": "horizon", "LABEL": "Height of the horizon", "TYPE": "float", "DEFAULT": 0.74, "MIN": 0.3, "MAX": 1},
    {"NAME": "key", "LABEL": "What is darker is seen through", "TYPE": "float", "DEFAULT": 0.1, "MIN": 0, "MAX": 0.5},
    {"NAME": "wind", "LABEL": "Wind", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0, "MAX": 1},
    {"NAME": "travel", "LABEL": "Way along the rows", "TYPE": "float", "DEFAULT": 0, "MIN": -10000, "MAX": 10000, "WRAP": true},
    {"NAME": "hit", "LABEL": "They stretch", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.0, 0.035, 0.025, 1]},
    {"NAME": "sky", "LABEL": "Sky", "TYPE": "color", "DEFAULT": [0.0, 0.004, 0.03, 1]},
    {"NAME": "dusk", "LABEL": "Sky over the horizon", "TYPE": "color", "DEFAULT": [0.05, 0.16, 0.36, 1]}
  ],
  "PASSES": [
    {"TARGET": "past", "WIDTH": "max(floor(min($WIDTH, $HEIGHT)/3), 8) * 4", "HEIGHT": "max(floor(min($WIDTH, $HEIGHT)/3), 8) * 4", "PERSISTENT": true},
    {"TARGET": "plants", "WIDTH": "64", "HEIGHT": "10", "FLOAT": true},
    {}
  ]
}*/

const float TILES = 16.0;  // moments kept, in a sheet of 4 x 4 tiles, each the middle square of the picture
const int ROWS = 10;
const float SMALLER = 0.72;  // a row, than the one before it

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

vec3 kept(float number, vec2 at) {  // at: 0..1 in the square
    float tile = mod(number, TILES), row = floor(tile * 0.25);
    vec2 inset = vec2(2.4) / IMG_SIZE(past);
    return IMG_NORM_PIXEL(past, 0.25 * (vec2(tile - 4.0 * row, row) + clamp(at, inset, 1.0 - inset))).rgb;
}

// One of them: how far from the middle of its place, which way it looks, how late it is, how far the wind bends it.
vec4 plant(ivec2 cell) {
    uint dice = word(uint(cell.x) + word(uint(cell.y)));
    vec3 luck = vec3(dice & 255u, (dice >> 8u) & 255u, (dice >> 16u) & 255u) / 255.0;
    float blown = sway(0.11 * TIME - 0.09375 * float(cell.x) - 0.13 * float(cell.y)) + 0.4 * sway(0.37 * TIME + luck.x);
    return vec4(0.3 * (luck.x - 0.5), luck.z > 0.5 ? 1.0 : -1.0, luck.y, wind * blown);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    float each = span / (TILES - 2.0), now = TIME / each, latest = floor(now);
    if (PASSINDEX == 0) {  // tiles are numbered by time: those begun since the last frame get the picture
        vec2 size = IMG_SIZE(inputImage), grid = floor(uv * 4.0);
        float tile = grid.x + 4.0 * grid.y, before = floor((TIME - TIMEDELTA) / each - 0.02);
        float number = latest - mod(latest - tile, TILES);
        vec2 at = 0.5 + (fract(uv * 4.0) - 0.5) * min(size.x, size.y) / size;
        gl_FragColor = FRAMEINDEX == 0 || number > before ? IMG_NORM_PIXEL(inputImage, at) : IMG_THIS_PIXEL(past);
        return;
    }
    if (PASSINDEX == 1) {
        gl_FragColor = plant(ivec2(gl_FragCoord.xy));
        return;
    }
    vec2 shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y), p = vec2((uv.x - 0.5) * shape.x, uv.y * shape.y);
    float line = horizon * shape.y, seen = 1.0, tall = 1.0 + 0.14 * hit;
    vec3 colour = vec3(0.0);
    // From the front to the back, those rows that reach this height: a row stands 1.62 of its size below the horizon.
    vec2 sizes = max(line - p.y, 1e-4) / near / shape.y / vec2(1.62 - tall, 1.62), rows = log(sizes) / log(SMALLER);
    int last = min(int(floor(rows.y)), ROWS - 1);
    float size = near * shape.y * pow(SMALLER, max(ceil(rows.x), 0.0));
    for (int row = max(int(ceil(rows.x)), 0); row <= last; row++) {
        float far = float(row) / float(ROWS - 1), y = (p.y - line + 1.62 * size) / size / tall;
        if (y > 0.0 && y < 1.0 && seen > 0.02) {
            float along = p.x / (size * apart) + 0.37 * float(row) + travel;
            float left = floor(along - 0.5);
            for (int side = 0; side < 2; side++) {  // the tiles of two neighbours may reach this place
                float number = left + float((side + row) & 1);
                vec4 own = texelFetch(plants, ivec2(int(number) & 63, row), 0);
                vec2 q = vec2((along - number - 0.5 - own.x) * apart - 0.25 * y * y * own.w, y * (1.0 + 0.3 * own.z));
                q.x *= own.y;
                if (abs(q.x) < 0.45 && q.y < 1.0) {
                    float back = far * (TILES - 2.0) + own.z, at = floor(now - back);
                    vec3 older = kept(at, q + vec2(0.5, 0.0)), newer = kept(min(at + 1.0, latest), q + vec2(0.5, 0.0));
                    vec3 one = mix(older, newer, now - back - at);
                    float light = max(one.r, max(one.g, one.b));
                    float cover = smoothstep(0.5 * key, 1.5 * key + 0.01, light) * smoothstep(0.45, 0.4, abs(q.x));
                    // Stems go down into the dark between the rows.
                    one *= (0.25 * smoothstep(0.0, 0.3, y) + 0.75 * smoothstep(0.2, 0.6, y)) * mix(1.0, 0.7, far);
                    colour += seen * cover * one;
                    seen *= 1.0 - cover;
                }
            }
            seen *= 1.0 - 0.8 * smoothstep(0.4, 0.1, y);
        }
        size *= SMALLER;
    }
    float up = max(p.y - line, 0.0) / shape.y;
    vec3 behind = p.y < line - 0.01 * shape.y ? ground.rgb : sky.rgb + dusk.rgb * exp(-9.0 * up);
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(here.rgb, colour + seen * behind, amount), here.a);
}
