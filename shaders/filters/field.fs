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
    {"NAME": "hit", "LABEL": "A gust, which runs to the horizon", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.0, 0.035, 0.025, 1]},
    {"NAME": "leaves", "LABEL": "Leaves and stems", "TYPE": "color", "DEFAULT": [0.05, 0.2, 0.08, 1]},
    {"NAME": "sky", "LABEL": "Sky", "TYPE": "color", "DEFAULT": [0.0, 0.004, 0.03, 1]},
    {"NAME": "dusk", "LABEL": "Sky over the horizon", "TYPE": "color", "DEFAULT": [0.05, 0.16, 0.36, 1]}
  ],
  "PASSES": [
    {"TARGET": "past", "WIDTH": "max(floor(min($WIDTH, $HEIGHT)/3), 8) * 4", "HEIGHT": "max(floor(min($WIDTH, $HEIGHT)/3), 8) * 4", "PERSISTENT": true},
    {"TARGET": "foliage", "WIDTH": "512", "HEIGHT": "128", "PERSISTENT": true},
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

float delay(int row, float late) {  // in moments
    return float(row) / float(ROWS - 1) * (TILES - 2.0) + late;
}

vec4 kept(float number, vec2 at) {  // at: 0..1 in the square; w is the gust of that moment
    float tile = mod(number, TILES), row = floor(tile * 0.25);
    vec2 inset = vec2(2.4) / IMG_SIZE(past);
    return IMG_NORM_PIXEL(past, 0.25 * (vec2(tile - 4.0 * row, row) + clamp(at, inset, 1.0 - inset)));
}

// Leaves of four plants side by side: how much they cover, and how light they are.
vec2 blades(vec2 uv) {
    vec2 drawn = vec2(0.0);
    int many = FRAMEINDEX == 0 ? 72 : 0;  // drawn once
    for (int n = 0; n < many; n++) {  // from the back to the front
        uint dice = word(uint(n) + 77u), more = word(dice);
        vec4 luck = vec4(dice & 255u, (dice >> 8u) & 255u, (dice >> 16u) & 255u, dice >> 24u) / 255.0;
        float tall = (0.45 + 0.55 * luck.y) * (1.0 - 0.35 * float(n) / 72.0), t = uv.y / tall;
        float x = 4.0 * (uv.x - luck.x) - (luck.z - 0.5) * (0.25 + t * t);
        x = abs(x - 4.0 * floor(x / 4.0 + 0.5));
        float wide = (0.045 + 0.05 * luck.w) * sqrt(max(1.0 - t, 0.0)) * (0.55 + 0.9 * t * (1.0 - t)), inside = wide - x;
        float shade = (0.25 + 0.75 * float(more & 255u) / 255.0) * (0.6 + 0.4 * float(n) / 72.0);
        shade *= 0.55 + 0.45 * smoothstep(0.0, 0.012, x) + 0.5 * smoothstep(0.016, 0.004, inside);
        drawn = mix(drawn, vec2(1.0, shade), smoothstep(0.0, 0.01, inside));
    }
    return drawn;
}

// One of them: how far from the middle of its place, how wide it is (below 0 mirrored), how late it is, how far the wind
// bends it: a gust reaches its row as late as the picture does.
vec4 plant(ivec2 cell, float now) {
    uint dice = word(uint(cell.x) + word(uint(cell.y)));
    vec4 luck = vec4(dice & 255u, (dice >> 8u) & 255u, (dice >> 16u) & 255u, dice >> 24u) / 255.0;
    float at = now - delay(cell.y, 0.5), gust = mix(kept(floor(at), vec2(0.5)).a, kept(floor(at) + 1.0, vec2(0.5)).a, fract(at));
    float blown = sway(0.11 * TIME - 0.09375 * float(cell.x) - 0.13 * float(cell.y)) + 0.3 * sway(0.37 * TIME + luck.x);
    return vec4(0.2 * (luck.x - 0.5), (luck.z > 0.5 ? 1.0 : -1.0) / (0.74 + 0.2 * luck.w), luck.y, wind * blown + 2.2 * gust);
}

// A moment between two that were kept. What changed much changes at once: two pictures over each other would be ghosts.
vec3 between(vec3 older, vec3 newer, float part) {
    vec3 change = abs(newer - older);
    return mix(older, newer, clamp((part - 0.5) * (1.0 + min(1500.0 * dot(change, change), 60.0)) + 0.5, 0.0, 1.0));
}

// What is behind the field: a sky over a far line of trees; `up` is the height over the horizon.
vec3 distance1(float x, float up, float pixel) {
    x -= 0.01 * travel;
    float trees = 0.012 + 0.005 * sway(0.43 * x) + 0.004 * sway(1.7 * x + 0.3) + 0.0025 * sway(6.1 * x) + 0.0015 * sway(17.3 * x);
    vec3 land = mix(ground.rgb, 0.3 * dusk.rgb + 0.5 * ground.rgb, exp(-30.0 * max(-up, 0.0)));
    return mix(land, sky.rgb + dusk.rgb * exp(-9.0 * max(up, 0.0)), smoothstep(-pixel, pixel, up - trees));
}

void main() {
    vec2 uv = isf_FragNormCoord;
    float each = span / (TILES - 2.0), now = TIME / each, latest = floor(now);
    if (PASSINDEX == 0) {  // tiles are numbered by time: those begun since the last frame get the picture
        vec2 size = IMG_SIZE(inputImage), grid = floor(uv * 4.0);
        float tile = grid.x + 4.0 * grid.y, before = floor((TIME - TIMEDELTA) / each - 0.02);
        float number = latest - mod(latest - tile, TILES);
        vec2 at = 0.5 + (fract(uv * 4.0) - 0.5) * min(size.x, size.y) / size;
        bool begun = FRAMEINDEX == 0 || number > before;
        gl_FragColor = begun ? vec4(IMG_NORM_PIXEL(inputImage, at).rgb, hit) : IMG_THIS_PIXEL(past);
        return;
    }
    if (PASSINDEX == 1) {
        vec2 drawn = blades(uv);
        gl_FragColor = FRAMEINDEX == 0 ? vec4(drawn, 0.0, 1.0) : IMG_THIS_PIXEL(foliage);
        return;
    }
    if (PASSINDEX == 2) {
        gl_FragColor = plant(ivec2(gl_FragCoord.xy), now);
        return;
    }
    float pixel = 1.0 / min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 shape = RENDERSIZE * pixel, p = vec2((uv.x - 0.5) * shape.x, uv.y * shape.y);
    float line = horizon * shape.y + 0.012 * sway(0.17 * p.x - 0.02 * travel), seen = 1.0;
    vec3 colour = vec3(0.0);
    // From the front to the back, those rows that reach this height: a row stands 1.62 of its size below the horizon.
    vec2 sizes = max(line - p.y, 1e-4) / near / shape.y / vec2(0.62, 1.62), rows = log(sizes) / log(SMALLER);
    int last = min(int(floor(rows.y)), ROWS - 1);
    float size = near * shape.y * pow(SMALLER, max(ceil(rows.x), 0.0));
    for (int row = max(int(ceil(rows.x)), 0); row <= last; row++) {
        float far = float(row) / float(ROWS - 1), y = (p.y - line + 1.62 * size) / size;
        if (y > 0.0 && y < 1.0 && seen > 0.02) {
            float along = p.x / (size * apart) + 0.37 * float(row) + travel, bend = 0.25 * y * y;
            // The wind that bends the neighbours alike, so that the tiles of two of them are all that reach this place.
            float blown = along - bend * texelFetch(plants, ivec2(int(floor(along)) & 63, row), 0).w / apart;
            float left = floor(blown - 0.5), stem = 0.0;
            for (int side = 0; side < 2; side++) {
                float number = left + float((side + row) & 1);
                vec4 own = texelFetch(plants, ivec2(int(number) & 63, row), 0);
                vec2 q = vec2((along - number - 0.5 - own.x) * apart - bend * own.w, y);
                stem = max(stem, smoothstep(0.022, 0.012, abs(q.x)) * (0.6 + 20.0 * q.x));
                q = vec2(own.y * (q.x + 2.0 * own.x * (y - 0.45)), y * (1.0 + 0.3 * own.z) - 2.0 * own.x * q.x);
                vec2 out2 = (q - vec2(0.0, 0.5)) / vec2(0.49, 0.5);
                out2 *= out2;
                float rim = dot(out2, out2);  // a flower that is larger than its picture ends round
                if (rim < 1.0) {
                    float at = now - delay(row, own.z);
                    vec3 older = kept(floor(at), q + vec2(0.5, 0.0)).rgb, newer = kept(min(floor(at) + 1.0, latest), q + vec2(0.5, 0.0)).rgb;
                    vec3 one = between(older, newer, fract(at));
                    float light = max(one.r, max(one.g, one.b));
                    float cover = smoothstep(0.5 * key, 1.5 * key + 0.01, light) * smoothstep(1.0, 0.95, rim);
                    one *= (0.25 * smoothstep(0.0, 0.3, y) + 0.75 * smoothstep(0.2, 0.6, y)) * mix(1.0, 0.7, far);
                    one *= (0.8 + 0.4 * fract(5.3 * own.z)) * smoothstep(1.05, 0.7, rim);
                    colour += seen * cover * one;
                    seen *= 1.0 - cover;
                }
            }
            // Leaves and stems go down into the dark between the rows.
            vec2 leaf = IMG_NORM_PIXEL(foliage, vec2(fract(0.25 * blown), 1.7 * y)).xy;
            float low = smoothstep(0.5, 0.45, y);
            leaf = mix(leaf, vec2(1.0, stem), step(leaf.y, stem) * stem) * low;
            colour += seen * leaf.x * leaf.y * leaves.rgb * smoothstep(-0.05, 0.4, y) * (1.0 - 0.5 * far);
            seen *= 1.0 - max(leaf.x, 0.8 * smoothstep(0.4, 0.1, y));
        }
        size *= SMALLER;
    }
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(here.rgb, colour + seen * distance1(p.x, (p.y - line) / shape.y, pixel), amount), here.a);
}
