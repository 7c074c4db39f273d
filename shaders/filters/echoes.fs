/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Each hit keeps the picture: four echoes of it move aside, sink and fade, each in a colour of its own.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Time"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Brightness of the echoes", "TYPE": "float", "DEFAULT": 0.9, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "hit", "LABEL": "Keeps the picture when it rises above a half", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "fade", "LABEL": "Seconds until half of an echo is gone", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0.05, "MAX": 5},
    {"NAME": "aside", "LABEL": "How far they move to both sides, in frame widths", "TYPE": "float", "DEFAULT": 0.5, "MIN": -1, "MAX": 1},
    {"NAME": "sink", "LABEL": "How much smaller they become", "TYPE": "float", "DEFAULT": 0.4, "MIN": -1, "MAX": 0.9},
    {"NAME": "turn", "LABEL": "Colours move on to the next echo", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 4},
    {"NAME": "centre", "LABEL": "Where they sink to", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0, 0], "MAX": [1, 1]},
    {"NAME": "first", "LABEL": "First colour", "TYPE": "color", "DEFAULT": [1.0, 0.25, 0.3, 1]},
    {"NAME": "second", "LABEL": "Second colour", "TYPE": "color", "DEFAULT": [0.1, 0.7, 1.0, 1]},
    {"NAME": "third", "LABEL": "Third colour", "TYPE": "color", "DEFAULT": [1.0, 0.65, 0.1, 1]},
    {"NAME": "fourth", "LABEL": "Fourth colour", "TYPE": "color", "DEFAULT": [0.5, 0.25, 1.0, 1]}
  ],
  "PASSES": [
    {"TARGET": "state", "WIDTH": "5", "HEIGHT": "1", "PERSISTENT": true, "FLOAT": true},
    {"TARGET": "kept", "PERSISTENT": true},
    {"TARGET": "echoes", "WIDTH": "4", "HEIGHT": "2", "FLOAT": true},
    {}
  ]
}*/

const int ECHOES = 4;      // a sheet of 2 x 2 pictures of half the size
const float GONE = 30.0;   // seconds; no echo is older

// In `state`: the age of each echo in seconds; then what `hit` was, and which echo is the newest.
vec4 after(int n) {
    vec4 last = texelFetch(state, ivec2(ECHOES, 0), 0);
    if (FRAMEINDEX == 0) return n < ECHOES ? vec4(GONE) : vec4(1.0, 0.0, 0.0, 1.0);
    bool begins = hit >= 0.5 && last.x < 0.5;
    float newest = begins ? mod(last.y + 1.0, float(ECHOES)) : last.y;
    if (n == ECHOES) return vec4(hit, newest, 0.0, 1.0);
    float age = min(texelFetch(state, ivec2(n, 0), 0).x + TIMEDELTA, GONE);
    return vec4(begins && float(n) == newest ? 0.0 : age);
}

vec3 dye(float number) {
    vec3 dyes[5] = vec3[5](first.rgb, second.rgb, third.rgb, fourth.rgb, first.rgb);
    float at = mod(number, 4.0);
    return mix(dyes[int(at)], dyes[int(at) + 1], fract(at));
}

// Where an echo is now: how far aside, and one over its size; or its colour.
vec4 echo(int n, bool place) {
    float age = texelFetch(state, ivec2(n, 0), 0).x, far = age / (age + 1.0);
    if (place) return vec4((n & 1) == 0 ? -aside * far : aside * far, 1.0 / (1.0 - sink * far), 0.0, 1.0);
    return vec4(amount * exp2(-age / fade) * dye(float(n) + turn), 1.0);
}

void main() {
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX == 0) {
        gl_FragColor = after(int(gl_FragCoord.x));
        return;
    }
    if (PASSINDEX == 1) {
        vec2 tile = floor(2.0 * uv);
        bool fresh = texelFetch(state, ivec2(int(tile.x + 2.0 * tile.y), 0), 0).x == 0.0;
        gl_FragColor = fresh ? IMG_NORM_PIXEL(inputImage, fract(2.0 * uv)) : IMG_THIS_PIXEL(kept);
        return;
    }
    if (PASSINDEX == 2) {
        gl_FragColor = echo(int(gl_FragCoord.x), gl_FragCoord.y < 1.0);
        return;
    }
    vec4 here = IMG_THIS_PIXEL(inputImage);
    vec3 colour = here.rgb;
    for (int n = 0; n < ECHOES; n++) {
        vec2 place = texelFetch(echoes, ivec2(n, 0), 0).xy, from = centre + (uv - centre - vec2(place.x, 0.0)) * place.y;
        vec3 was = IMG_NORM_PIXEL(kept, 0.5 * (vec2(float(n & 1), float(n >> 1)) + clamp(from, 0.0, 1.0))).rgb;
        // Where it ends, it goes into the dark without a seam.
        vec2 edge = min(from, 1.0 - from);
        float bright = min(1.5 * max(was.r, max(was.g, was.b)), 1.0) * clamp(25.0 * min(edge.x, edge.y), 0.0, 1.0);
        colour = max(colour, bright * texelFetch(echoes, ivec2(n, 1), 0).rgb);
    }
    gl_FragColor = vec4(colour, here.a);
}
