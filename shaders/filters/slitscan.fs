/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Every place shows another moment: time runs across the frame.",
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
    {"TARGET": "past", "WIDTH": "max(floor($WIDTH/4), 8) * 4", "HEIGHT": "max(floor($HEIGHT/4), 8) * 4", "PERSISTENT": true},
    {}
  ]
}*/

const float TILES = 16.0;  // moments kept, in a 4 x 4 sheet at a quarter of the size

vec2 tileCorner(float number) {
    float tile = mod(number, TILES);
    return vec2(mod(tile, 4.0), floor(tile * 0.25)) * 0.25;
}

vec3 kept(float number, vec2 uv) {
    vec2 inset = 2.0 / RENDERSIZE;  // a bilinear tap must not reach into the next tile
    return IMG_NORM_PIXEL(past, tileCorner(number) + clamp(uv * 0.25, inset, 0.25 - inset)).rgb;
}

void main() {
    vec2 uv = isf_FragNormCoord;
    float step = span / TILES, now = TIME / step, latest = floor(now);
    if (PASSINDEX == 0) {
        // Tiles are numbered by time, not by frame: those begun since the last frame get the picture.
        vec2 grid = floor(uv * 4.0);
        float tile = grid.x + 4.0 * grid.y, before = floor((TIME - TIMEDELTA) / step);
        float number = latest - mod(latest - tile, TILES);
        bool fresh = FRAMEINDEX == 0 || number > before;
        gl_FragColor = fresh ? IMG_NORM_PIXEL(inputImage, fract(uv * 4.0)) : IMG_THIS_PIXEL(past);
        return;
    }
    vec2 p = (uv - 0.5) * RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
    float far = length(RENDERSIZE) / min(RENDERSIZE.x, RENDERSIZE.y) * 0.5;
    float delay = uv.y;
    if (way == 1) delay = uv.x;
    if (way == 2) delay = length(p) / far;
    if (way == 3) delay = 1.0 - length(p) / far;
    if (way == 4) delay = 0.5 + 0.25 * (sin(4.1 * p.x + 1.7 * sin(2.3 * p.y + TIME * 0.2)) + cos(3.7 * p.y - TIME * 0.13));
    if (bands >= 1.0) delay = floor(delay * bands) / bands;
    vec4 here = IMG_THIS_PIXEL(inputImage);
    // The sheet's newest tile is still at its first picture; between it and the present lies `here`.
    float back = clamp(delay, 0.0, 1.0) * amount * (TILES - 2.0), number = now - back;
    float first = floor(number), part = number - first;
    bool young = first >= latest;
    vec3 older = kept(min(first, latest), uv), newer = young ? here.rgb : kept(first + 1.0, uv);
    part = young ? part / max(now - latest, 1e-3) : part;
    gl_FragColor = vec4(back <= 0.0 ? here.rgb : mix(older, newer, min(part, 1.0)), here.a);
}
