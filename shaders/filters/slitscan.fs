/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Each part of the frame shows another moment, so time runs across the frame.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Time"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Delay at the far end", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "span", "LABEL": "Seconds kept", "TYPE": "float", "DEFAULT": 1.2, "MIN": 0.2, "MAX": 6},
    {"NAME": "way", "LABEL": "Way of time", "TYPE": "long", "VALUES": [0, 1, 2, 3, 4], "LABELS": ["up", "across", "outwards", "inwards", "swells"], "DEFAULT": 0},
    {"NAME": "bands", "LABEL": "Steps instead of a slope; 0 is smooth", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 64}
  ],
  "PASSES": [
    {"TARGET": "small", "WIDTH": "max(floor($WIDTH/5), 8)", "HEIGHT": "max(floor($HEIGHT/5), 8)"},
    {"TARGET": "past", "WIDTH": "max(floor($WIDTH/5), 8) * 4", "HEIGHT": "max(floor($HEIGHT/5), 8) * 4", "PERSISTENT": true},
    {}
  ]
}*/

const float TILES = 16.0;  // moments kept, in a sheet of 4 x 4 tiles at a fifth of the size

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

vec3 kept(float number, vec2 at) {  // at: inside a tile
    float tile = mod(number, TILES), row = floor(tile * 0.25);
    return IMG_NORM_PIXEL(past, vec2(tile * 0.25 - row, row * 0.25) + at).rgb;
}

void main() {
    vec2 uv = isf_FragNormCoord;
    float each = span / TILES, now = TIME / each, latest = floor(now);
    if (PASSINDEX == 0) {  // four bilinear taps over the 5 x 5 pixels of each small one
        vec2 d = 0.25 / RENDERSIZE, e = vec2(d.x, -d.y);
        gl_FragColor = 0.25 * (IMG_NORM_PIXEL(inputImage, uv + d) + IMG_NORM_PIXEL(inputImage, uv - d) + IMG_NORM_PIXEL(inputImage, uv + e) + IMG_NORM_PIXEL(inputImage, uv - e));
        return;
    }
    if (PASSINDEX == 1) {
        // Tiles are numbered by time, not by frame: those begun since the last frame get the picture; rather
        // one twice than one never, when the difference of two times is rounded.
        vec2 grid = floor(uv * 4.0);
        float tile = grid.x + 4.0 * grid.y, before = floor((TIME - TIMEDELTA) / each - 0.02);
        float number = latest - mod(latest - tile, TILES);
        bool fresh = FRAMEINDEX == 0 || number > before;
        gl_FragColor = fresh ? IMG_NORM_PIXEL(small, fract(uv * 4.0)) : IMG_THIS_PIXEL(past);
        return;
    }
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 p = (uv - 0.5) * RENDERSIZE / unit;
    float radius = length(p) * 2.0 * unit / length(RENDERSIZE), delay = uv.y;
    delay = way == 1 ? uv.x : way == 2 ? radius : way == 3 ? 1.0 - radius : delay;
    delay = way == 4 ? 0.5 + 0.25 * (sway(0.65 * p.x + 0.27 * sway(0.37 * p.y + TIME * 0.03)) + sway(0.6 * p.y - TIME * 0.02)) : delay;
    delay = bands >= 1.0 ? floor(delay * bands) / bands : delay;
    vec4 here = IMG_THIS_PIXEL(inputImage);
    // The newest tile holds the beginning of its time; between it and the present lies `here`.
    float back = clamp(delay, 0.0, 1.0) * amount * (TILES - 2.0), number = now - back, first = floor(number);
    vec2 inset = 0.6 / IMG_SIZE(past), at = clamp(uv * 0.25, inset, 0.25 - inset);  // taps stay in their tile
    bool young = first >= latest;
    vec3 older = kept(first, at), newer = young ? here.rgb : kept(first + 1.0, at);
    float part = young ? (number - latest) / max(now - latest, 1e-3) : number - first;
    gl_FragColor = vec4(back <= 0.0 ? here.rgb : mix(older, newer, part), here.a);
}
