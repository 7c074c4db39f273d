/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The picture leaves itself behind: trails that zoom, turn, change colour and sink into black.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Feedback"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Trails", "TYPE": "float", "DEFAULT": 0.8, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "decay", "LABEL": "Seconds until half is gone", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0.02, "MAX": 6},
    {"NAME": "zoom", "LABEL": "Zoom, doublings a second", "TYPE": "float", "DEFAULT": 0.25, "MIN": -3, "MAX": 3},
    {"NAME": "rotate", "LABEL": "Turns a second", "TYPE": "float", "DEFAULT": 0.015, "MIN": -1, "MAX": 1},
    {"NAME": "hue", "LABEL": "Colour drift, turns a second", "TYPE": "float", "DEFAULT": 0.04, "MIN": -1, "MAX": 1},
    {"NAME": "push", "LABEL": "Extra zoom, for hits", "TYPE": "float", "DEFAULT": 0, "MIN": -1, "MAX": 1},
    {"NAME": "slide", "LABEL": "Slide, frame heights a second", "TYPE": "point2D", "DEFAULT": [0, 0], "MIN": [-1, -1], "MAX": [1, 1]},
    {"NAME": "centre", "LABEL": "Centre", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0, 0], "MAX": [1, 1]}
  ],
  "PASSES": [
    {"TARGET": "trail", "PERSISTENT": true},
    {}
  ]
}*/

// Turns the hue about the grey axis (Rodrigues) and puts the brightest channel back to where it was,
// so that neither clipping nor rounding lets a long trail bleach or glow up.
vec3 hueTurned(vec3 c, float turns) {
    float a = 6.2831853 * turns, s = sin(a) * 0.57735;
    float k = cos(a), grey = (c.r + c.g + c.b) / 3.0 * (1.0 - k);
    vec3 turned = max(c * k + s * (c.brg - c.gbr) + grey, 0.0);
    float before = max(c.r, max(c.g, c.b)), after = max(turned.r, max(turned.g, turned.b));
    return turned * (before / max(after, 1e-4));
}

void main() {
    vec4 here = IMG_THIS_PIXEL(inputImage);
    if (PASSINDEX == 1) {
        gl_FragColor = vec4(mix(here.rgb, max(here.rgb, IMG_THIS_PIXEL(trail).rgb), amount), here.a);
        return;
    }
    float dt = min(TIMEDELTA, 0.1), angle = 6.2831853 * rotate * dt;
    float scale = exp2(-(zoom + 2.0 * push) * dt), aspect = RENDERSIZE.x / RENDERSIZE.y;
    vec2 p = (isf_FragNormCoord - centre) * vec2(aspect, 1.0) * scale;
    p += angle * vec2(p.y, -p.x) - slide * dt;  // per frame the turn is small
    vec2 from = centre + p / vec2(aspect, 1.0);
    from = 1.0 - abs(1.0 - mod(from, 2.0));  // mirrored beyond the edges
    vec3 old = hueTurned(IMG_NORM_PIXEL(trail, from).rgb, hue * dt) * exp2(-dt / decay);
    // Rounding to the nearest of 256 steps would let dark trails stand for ever: dithered, the mean
    // is exact, and black stays black (interleaved gradient noise, Jimenez 2014).
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy + 5.588238 * float(FRAMEINDEX % 64), vec2(0.06711056, 0.00583715))));
    old = max(old + (noise - 0.58) / 255.0, 0.0);
    gl_FragColor = vec4(max(here.rgb, old), 1.0);
}
