/*{
  "ISFVSN": "2",
  "DESCRIPTION": "An eclipse: a black disc before the sun; the spectrum is its corona, in which what was heard moves outwards.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Sound"],
  "INPUTS": [
    {"NAME": "spectrum", "LABEL": "Spectrum", "TYPE": "audioFFT", "MAX": 128},
    {"NAME": "centre", "LABEL": "Place of the sun", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [-0.5, -0.5], "MAX": [1.5, 1.5]},
    {"NAME": "size", "LABEL": "Radius of the disc", "TYPE": "float", "DEFAULT": 0.2, "MIN": 0.02, "MAX": 0.8},
    {"NAME": "height", "LABEL": "Length of the corona", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "apart", "LABEL": "How much of the sun is free", "TYPE": "float", "DEFAULT": 0.03, "MIN": 0, "MAX": 0.5},
    {"NAME": "turn", "LABEL": "Where it is free, in turns", "TYPE": "float", "DEFAULT": 0.12, "MIN": -1000, "MAX": 1000, "WRAP": true},
    {"NAME": "speed", "LABEL": "How fast the corona moves outwards", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "The corona flares", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "snap", "LABEL": "Flames on the rim of the disc", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "night", "LABEL": "Night", "TYPE": "color", "DEFAULT": [0.0, 0.002, 0.01, 1]},
    {"NAME": "light", "LABEL": "Corona", "TYPE": "color", "DEFAULT": [0.56, 0.72, 1.0, 1]},
    {"NAME": "flame", "LABEL": "Flames", "TYPE": "color", "DEFAULT": [1.0, 0.16, 0.26, 1]},
    {"NAME": "sun", "LABEL": "Sun", "TYPE": "color", "DEFAULT": [1.0, 0.9, 0.72, 1]}
  ],
  "PASSES": [
    {"TARGET": "past", "WIDTH": "128", "HEIGHT": "64", "PERSISTENT": true},
    {"TARGET": "rays", "WIDTH": "1056", "HEIGHT": "96", "FLOAT": true},
    {}
  ]
}*/

const float TURN = 6.2831853, ROWS = 64.0, COLUMNS = 1024.0, MARGIN = 16.0;  // the rays reach a little around the turn

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

float cloud(float turns, float y, int many) {  // smooth noise around the circle, 0..1, with `many` cells
    float x = fract(turns) * float(many), i = floor(x), j = floor(y), f = x - i, g = y - j;
    f *= f * (3.0 - 2.0 * f);
    g *= g * (3.0 - 2.0 * g);
    vec4 corner;
    for (int k = 0; k < 4; k++) {
        uint n = uint((int(i) + (k & 1)) % many) + 4096u * uint(int(j) + (k >> 1) + 100000);
        corner[k] = float(word(n) & 1023u) / 1023.0;
    }
    return mix(mix(corner.x, corner.y, f), mix(corner.z, corner.w, f), g);
}

float heard(float number, float bin) {
    return IMG_NORM_PIXEL(past, vec2(bin * 0.992 + 0.004, (mod(number, ROWS) + 0.5) / ROWS)).r;
}

// The light of the corona at an angle, a distance from the disc's rim in its radii, and how long a flame is there.
vec4 ray(float turns, float far, float now) {
    float bin = abs(fract(turns + 0.25) * 2.0 - 1.0), then = now - 1.0 - 7.0 * far, number = floor(then);
    float loud = mix(heard(number, bin * bin), heard(number + 1.0, bin * bin), then - number);
    float drift = (0.12 + 0.5 * speed) * TIME, wave = 0.012 * (cloud(turns, 2.0 * far - drift, 16) - 0.5);
    float wide = cloud(turns + wave, 0.7 * far - 0.3 * drift, 9), fine = cloud(turns + wave, 1.2 * far - drift, 46);
    float hair = cloud(turns + 0.3 * wave, 0.6 * far - drift, 190);
    float long1 = (0.06 + 0.5 * height * (0.3 + wide * wide * 1.6)) * (0.95 + 1.05 * loud);
    float light1 = exp(-far / long1) * (0.25 + 0.8 * fine) * (0.55 + 0.45 * hair) * (0.8 + 0.7 * loud);
    float burning = cloud(turns, 0.25 * TIME, 24) * cloud(turns, 0.9 * TIME, 110);
    return vec4(light1, smoothstep(0.22, 0.8, burning), 0.0, 1.0);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    float now = TIME * (3.0 + 12.0 * speed), latest = floor(now);
    if (PASSINDEX == 0) {
        // Rows are numbered by time, not by frame: every row begun since the last frame is written.
        float row = floor(uv.y * ROWS), before = floor((TIME - TIMEDELTA) * (3.0 + 12.0 * speed) - 0.02);
        float number = latest - mod(latest - row, ROWS), bin = uv.x * uv.x * 0.9, old = IMG_NORM_PIXEL(past, uv).r;
        float fresh = 0.0;
        for (int k = -2; k <= 2; k++)
            fresh += 0.2 * IMG_NORM_PIXEL(spectrum, vec2(clamp(bin + 0.015 * float(k), 0.0, 1.0), 0.5)).r;
        float value = number > before ? fresh : number == latest ? max(fresh, old) : old;
        gl_FragColor = vec4(FRAMEINDEX == 0 ? 0.0 : value, 0.0, 0.0, 1.0);
        return;
    }
    if (PASSINDEX == 1) {
        float rows = gl_FragCoord.y / 96.0;
        gl_FragColor = ray((gl_FragCoord.x - MARGIN) / COLUMNS, 3.5 * rows * rows, now);
        return;
    }
    vec2 p = (uv - centre) * RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y) / size;
    float r = length(p), pixel = 1.0 / size / min(RENDERSIZE.x, RENDERSIZE.y), far = max(r - 1.0, 0.0);
    float turns = fract(atan(p.y, p.x) / TURN + 1.0);
    vec2 at = vec2((turns * COLUMNS + MARGIN) / (COLUMNS + 2.0 * MARGIN), sqrt(min(far / 3.5, 1.0)));
    vec4 seen = IMG_NORM_PIXEL(rays, at);
    vec3 colour = night.rgb + light.rgb * seen.x * smoothstep(1.0, 0.8, at.y) * (0.8 + 0.9 * hit) + mix(light.rgb, sun.rgb, 0.6) * exp(-far * 26.0) * (0.35 + 0.5 * hit);
    float tall = 0.03 + 0.16 * seen.y * (0.35 + 1.4 * snap);
    colour += flame.rgb * (0.45 + 1.2 * snap) * seen.y * smoothstep(tall, 0.2 * tall, far) + flame.rgb * snap * exp(-far * 9.0);

    // The sun itself, where the disc does not cover it.
    vec2 away = vec2(cos(TURN * turn), sin(TURN * turn)), q = p - apart * away;
    float free = clamp((0.985 - length(q)) / pixel + 0.5, 0.0, 1.0), bare = clamp((r - 1.0) / pixel + 0.5, 0.0, 1.0);
    float glare = dot(p - away, p - away);
    colour = (colour + sun.rgb * free) * bare + sun.rgb * min(10.0 * apart, 1.0) * 0.006 / (0.006 + glare) * (0.6 + hit) * (0.25 + 0.75 * bare);
    gl_FragColor = vec4(colour, 1.0);
}
