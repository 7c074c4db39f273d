/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The spectrum as a ring of light around the centre; older rings move outwards.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Sound"],
  "INPUTS": [
    {"NAME": "spectrum", "LABEL": "Spectrum", "TYPE": "audioFFT", "MAX": 128},
    {"NAME": "height", "LABEL": "Height of the ridges", "TYPE": "float", "DEFAULT": 0.8, "MIN": 0, "MAX": 1},
    {"NAME": "count", "LABEL": "Rings", "TYPE": "float", "DEFAULT": 20, "MIN": 4, "MAX": 40},
    {"NAME": "speed", "LABEL": "Rings a second", "TYPE": "float", "DEFAULT": 7, "MIN": 1, "MAX": 15},
    {"NAME": "inner", "LABEL": "Radius of the empty centre", "TYPE": "float", "DEFAULT": 0.1, "MIN": 0.01, "MAX": 0.4},
    {"NAME": "folds", "LABEL": "Times around", "TYPE": "float", "DEFAULT": 2, "MIN": 1, "MAX": 8},
    {"NAME": "turn", "LABEL": "Turn", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0, "MAX": 1000, "WRAP": true},
    {"NAME": "weight", "LABEL": "Line weight", "TYPE": "float", "DEFAULT": 0.42, "MIN": 0.1, "MAX": 1},
    {"NAME": "hit", "LABEL": "Light on the young rings", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.0, 0.0, 0.012, 1]},
    {"NAME": "quiet", "LABEL": "Quiet", "TYPE": "color", "DEFAULT": [0.16, 0.2, 0.75, 1]},
    {"NAME": "loud", "LABEL": "Loud", "TYPE": "color", "DEFAULT": [1.0, 0.45, 0.2, 1]},
    {"NAME": "peak", "LABEL": "Peak", "TYPE": "color", "DEFAULT": [1.0, 0.95, 0.82, 1]}
  ],
  "PASSES": [
    {"TARGET": "past", "WIDTH": "128", "HEIGHT": "64", "PERSISTENT": true},
    {}
  ]
}*/

const float ROWS = 64.0;

// What the ring of this number heard: [loudness, breath].
vec2 heard(float number, float bin) {
    return IMG_NORM_PIXEL(past, vec2(bin * 0.992 + 0.004, (mod(number, ROWS) + 0.5) / ROWS)).xy;
}

void main() {
    vec2 uv = isf_FragNormCoord;
    float now = TIME * speed, latest = floor(now);
    if (PASSINDEX == 0) {
        // Rows are numbered by time, not by frame: every row begun since the last frame is written; rather
        // one twice than one never, when the difference of two times is rounded.
        float row = floor(uv.y * ROWS), before = floor((TIME - TIMEDELTA) * speed - 0.02);
        float number = latest - mod(latest - row, ROWS), bin = uv.x * uv.x * 0.9;
        float fresh = 0.5 * IMG_NORM_PIXEL(spectrum, vec2(bin, 0.5)).r;
        fresh += 0.25 * IMG_NORM_PIXEL(spectrum, vec2(bin + 0.012, 0.5)).r;
        fresh += 0.25 * IMG_NORM_PIXEL(spectrum, vec2(max(bin - 0.012, 0.0), 0.5)).r;
        vec2 old = IMG_NORM_PIXEL(past, uv).xy;
        float breath = 0.5 + 0.5 * sin(uv.x * 9.4248 + number * 0.45);
        // the row in the making keeps the loudest that it heard
        float value = number > before ? fresh : number == latest ? max(fresh, old.x) : old.x;
        gl_FragColor = vec4(FRAMEINDEX == 0 ? 0.0 : value, breath, 0.0, 1.0);
        return;
    }
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 p = (uv - 0.5) * RENDERSIZE / unit;
    float radius = length(p), angle = atan(p.y, p.x) / 6.2831853 + turn;
    float bin = abs(fract(angle * floor(folds + 0.5)) * 2.0 - 1.0);  // mirrored, so that the ring closes
    float gap = (0.66 - inner) / count, pixel = 1.0 / unit;
    float line = gap * weight * 0.5, phase = now - latest;
    // Ring i (0 is the youngest) stands at inner + (i + phase) gap, lifted outwards by what it heard,
    // by less than three gaps: three rings can be seen at a pixel, the younger hides the older.
    float nearest = floor((radius - inner) / gap - phase);
    vec3 colour = ground.rgb;
    for (int k = 0; k >= -2; k--) {
        float i = nearest + float(k), place = i + phase;
        vec2 sound = heard(latest - 1.0 - i, bin);
        float age = clamp(place / count, 0.0, 1.0), born = clamp(place, 0.0, 1.0);
        float crest = inner + place * gap + line + gap * born * (2.6 * height * sound.x + 0.3 * sound.y);
        float d = (radius - crest) / pixel;
        float bright = sound.x + 0.25 * hit * (1.0 - age);
        vec3 tone = mix(quiet.rgb, loud.rgb, clamp(bright * 2.2 - 0.15, 0.0, 1.0));
        tone = mix(tone, peak.rgb, clamp(bright * 2.0 - 0.9, 0.0, 1.0));
        // the flank of a ridge hides what lies behind, and holds a little of its light
        vec3 flank = ground.rgb + loud.rgb * sound.x * (0.3 - 0.3 * age) * max(1.0 + 0.35 * d * pixel / gap, 0.0);
        colour = mix(colour, i < 0.0 ? ground.rgb : flank, clamp(0.5 - d, 0.0, 1.0));
        float fade = born * (1.0 - age) * min(0.45 + sound.x + hit * (1.0 - age) * 0.5, 1.0);
        float cover = clamp(line / pixel + 0.5 - abs(d), 0.0, 1.0) * fade;
        colour = mix(colour, tone, i < 0.0 ? 0.0 : cover);
    }
    gl_FragColor = vec4(colour, 1.0);
}
