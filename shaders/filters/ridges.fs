/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Mountains of cut paper before a sun: each ridge is as high as the picture is bright along one of its rows.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Print"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the mountains", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "count", "LABEL": "Ridges", "TYPE": "float", "DEFAULT": 7, "MIN": 2, "MAX": 10},
    {"NAME": "height", "LABEL": "Height of the mountains", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "zoom", "LABEL": "Width of the mountains", "TYPE": "float", "DEFAULT": 1, "MIN": 0.3, "MAX": 4},
    {"NAME": "travel", "LABEL": "Way along them; near ones pass faster", "TYPE": "float", "DEFAULT": 0, "MIN": -10000, "MAX": 10000, "WRAP": true},
    {"NAME": "trees", "LABEL": "Height of the trees on them", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "sun", "LABEL": "Place of the sun", "TYPE": "point2D", "DEFAULT": [0.66, 0.66], "MIN": [-0.5, -0.5], "MAX": [1.5, 1.5]},
    {"NAME": "size", "LABEL": "Size of the sun", "TYPE": "float", "DEFAULT": 0.15, "MIN": 0, "MAX": 0.6},
    {"NAME": "hit", "LABEL": "The mountains jump, and the sun flares on their edges", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "Light between the ridges", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "sparkle", "LABEL": "Cut edges shine", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "near", "LABEL": "Nearest ridge, and the sky above", "TYPE": "color", "DEFAULT": [0.0, 0.016, 0.024, 1]},
    {"NAME": "middle", "LABEL": "Ridges between", "TYPE": "color", "DEFAULT": [0.0, 0.3, 0.27, 1]},
    {"NAME": "far", "LABEL": "Farthest ridge, and the haze", "TYPE": "color", "DEFAULT": [0.42, 0.74, 0.56, 1]},
    {"NAME": "light", "LABEL": "Sun", "TYPE": "color", "DEFAULT": [1.0, 0.36, 0.14, 1]}
  ],
  "PASSES": [
    {"TARGET": "small", "WIDTH": "128", "HEIGHT": "16", "FLOAT": true},
    {"TARGET": "soft", "WIDTH": "128", "HEIGHT": "16", "FLOAT": true},
    {"TARGET": "lines", "WIDTH": "$WIDTH", "HEIGHT": "10", "FLOAT": true},
    {"TARGET": "covers", "WIDTH": "$WIDTH", "HEIGHT": "10", "FLOAT": true},
    {}
  ]
}*/

const int MOST = 10;

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

float profile(float x, float row) {  // a smooth line through the heights of a row; mirrored where it ends
    float at = (1.0 - abs(1.0 - mod(x, 2.0))) * 127.0, i = floor(at), f = at - i;
    vec4 h;
    for (int k = 0; k < 4; k++) h[k] = texelFetch(soft, ivec2(clamp(int(i) + k - 1, 0, 127), int(row)), 0).r;
    float g = 1.0 - f;
    return dot(h, vec4(g * g * g, 4.0 - 6.0 * f * f + 3.0 * f * f * f, 4.0 - 6.0 * g * g + 3.0 * g * g * g, f * f * f)) / 6.0;
}

float nearness(int n) {  // 0 far away, 1 the nearest
    return (float(n) + 1.0) / floor(count + 0.5);
}

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

// The firs of a ridge: how high they stand here over it, 0..1. They grow in groups.
float firs(float at, int n) {
    float tall = 0.0, cell = floor(at);
    for (int k = -1; k <= 1; k++) {
        uint luck = word(word(uint(int(cell) + k + 100000)) + uint(n));
        float grove = sway((cell + float(k)) / 37.0 + 0.3 * float(n)) + 0.6 * sway((cell + float(k)) / 11.3);
        float size = (0.35 + 0.65 * float(luck & 255u) / 255.0) * smoothstep(-0.1, 0.8, grove);
        float d = abs(at - cell - float(k) - 0.2 - 0.6 * float((luck >> 8u) & 255u) / 255.0) / (0.25 + 0.75 * size);
        // Three tiers of branches.
        float steps = 1.0 - d * 1.6, tier = fract(3.0 * steps);
        tall = max(tall, size * clamp(steps + 0.11 * (tier - 0.5), 0.0, 1.0));
    }
    return tall;
}

float peak(int n) {  // a ridge of height 1
    return height * (0.34 + 0.3 * nearness(n)) * (1.0 + 0.8 * hit * (0.3 + 0.7 * nearness(n)));
}

// A ridge at a place across the frame: its height over its foot, without and with trees. It rolls also where the picture
// is dark; firs stand where it is not too steep.
vec2 ridge(float x, int n, float tall) {
    float close = nearness(n), wide = 2.1 * zoom * (0.55 + 0.75 * close), row = floor(16.0 * fract(0.382 * float(n) + 0.1));
    float at = x / wide + 0.37 * float(n) + travel * (0.2 + 0.8 * close), rise = profile(at, row);
    float steep = tall * (profile(at + 0.006, row) - rise) / 0.006 / wide;
    float rolls = 0.5 + 0.3 * sway(1.7 * at + 0.31 * float(n)) + 0.2 * sway(4.1 * at + 0.77 * float(n));
    float ground = tall * (0.82 * rise + 0.26 * rolls), grown = trees * smoothstep(1.8, 0.7, abs(steep));
    return vec2(ground, ground + grown * (0.022 + 0.05 * close) * firs(at * wide / zoom / (0.011 + 0.016 * close), n));
}

// What a ridge covers with its shadow: its line with slopes of at most 1, a little rounded. So far above it a place is
// about as far from it as from the nearest of its points; a plain height over the line would streak below steep slopes.
float cover(ivec2 at) {
    float width = IMG_SIZE(lines).x, each = min(IMG_SIZE(inputImage).x, IMG_SIZE(inputImage).y) / 180.0, sum = 0.0;
    float here = texelFetch(lines, at, 0).x;
    for (int k = -24; k <= 24; k++) {
        float line = texelFetch(lines, ivec2(clamp(at.x + int(float(k) * each), 0, int(width) - 1), at.y), 0).x;
        sum += exp(60.0 * (line - here - abs(float(k)) / 180.0));
    }
    return here + log(sum / 6.05) / 60.0;  // 6.05: of a level line
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {  // a row of heights for each ridge
        vec3 c = IMG_NORM_PIXEL(inputImage, vec2(0.14 + 0.72 * uv.x, 0.3 + 0.5 * uv.y)).rgb;
        gl_FragColor = vec4(pow(dot(c, vec3(0.35, 0.45, 0.2)), 0.65), 0.0, 0.0, 1.0);
        return;
    }
    if (PASSINDEX == 1) {
        float sum = 0.0;
        for (int k = -7; k <= 7; k++) sum += IMG_NORM_PIXEL(small, uv + vec2(float(k) / 128.0, 0.0)).r * (8.0 - abs(float(k)));
        gl_FragColor = vec4(sum / 64.0, 0.0, 0.0, 1.0);
        return;
    }
    vec2 shape = IMG_SIZE(inputImage) / min(IMG_SIZE(inputImage).x, IMG_SIZE(inputImage).y), p = uv * shape;
    int across = int(gl_FragCoord.x), down = int(gl_FragCoord.y);
    if (PASSINDEX == 2) {
        gl_FragColor = vec4(ridge(p.x - 0.5 * shape.x, down, peak(down) * shape.y), 0.0, 1.0);
        return;
    }
    float pixel = 1.0 / min(IMG_SIZE(inputImage).x, IMG_SIZE(inputImage).y);
    if (PASSINDEX == 3) {  // of a ridge: its line with trees, how steep that is, its line without trees, its shadow
        vec2 line = texelFetch(lines, ivec2(across, down), 0).xy;
        float before = texelFetch(lines, ivec2(max(across - 1, 0), down), 0).y;
        float after = texelFetch(lines, ivec2(min(across + 1, int(IMG_SIZE(lines).x) - 1), down), 0).y;
        gl_FragColor = vec4(line.y, 0.5 * (after - before) / pixel, line.x, cover(ivec2(across, down)));
        return;
    }
    float ridges = floor(count + 0.5), away = length(p - sun * shape), round = size * (1.0 + 0.25 * snap);
    float side = clamp(6.0 * (p.x - sun.x * shape.x), -1.0, 1.0), outside = max(away - round, 0.0);
    // The sky: haze about the sun, night above.
    float haze = exp(-2.4 * outside) * (0.5 + 0.4 * snap);
    vec3 colour = mix(near.rgb + 0.04 * middle.rgb, far.rgb, clamp(haze, 0.0, 1.0));
    colour = mix(colour, light.rgb * (1.0 + 0.3 * snap), clamp((round - away) / pixel + 0.5, 0.0, 1.0));
    // What the sun gives to the ridges.
    vec3 shine = light.rgb * (0.5 + 0.7 * hit + 0.4 * snap) * exp(-1.3 * outside), glint = (far.rgb + light.rgb) * (0.08 + 0.8 * sparkle);
    float thin = max(pixel, 0.0016);
    for (int n = 0; n < MOST; n++) {  // from the farthest to the nearest
        if (float(n) >= ridges) break;
        float close = nearness(n), jump = hit * (0.3 + 0.7 * close);
        float foot = mix(0.44, -0.26, close) + 0.012 * sway(0.04 * TIME + 0.29 * float(n)) + 0.03 * jump;
        float up = p.y - foot * shape.y;
        if (up > 1.1 * peak(n) * shape.y + 0.2) continue;
        vec4 line = texelFetch(covers, ivec2(across, n), 0);
        float over = (up - line.x) * inversesqrt(1.0 + line.y * line.y);
        if (over > pixel) {  // its shadow falls on what is behind it
            colour *= 1.0 - (0.48 - 0.28 * snap) * exp(-max(up - line.w, 0.0) / (0.012 + 0.04 * close));
            continue;
        }
        vec3 sheet = mix(far.rgb, middle.rgb, min(2.0 * close, 1.0));
        sheet = mix(sheet, near.rgb, max(2.0 * close - 1.0, 0.0));
        // Mist lies at its foot, and the sun finds its edge.
        float deep = max(line.z - up, 0.0);
        sheet = mix(sheet, far.rgb, clamp(deep * 1.6 - 0.12, 0.0, 0.45) * (1.0 - close) * (1.0 + snap));
        float edge = clamp(1.2 - abs(over + thin) / thin, 0.0, 1.0), lean = clamp(0.5 + 0.5 * line.y * side, 0.0, 1.0);
        float lit = 0.03 / (0.03 + deep), firs1 = up > line.z ? 0.4 : 1.0;
        sheet += shine * firs1 * (edge * lean + 0.5 * lit * lit) + glint * edge * lean;
        colour = mix(colour, sheet, clamp(0.5 - over / pixel, 0.0, 1.0));
    }
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(here.rgb, colour, amount), here.a);
}
