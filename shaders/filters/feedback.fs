/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The picture leaves trails that zoom, turn, change colour and fade to black.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Feedback"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Length of the trails", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "decay", "LABEL": "Seconds until half is gone, at full length", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0.02, "MAX": 6},
    {"NAME": "zoom", "LABEL": "Zoom, doublings a second", "TYPE": "float", "DEFAULT": 0.4, "MIN": -3, "MAX": 3},
    {"NAME": "rotate", "LABEL": "Turns a second", "TYPE": "float", "DEFAULT": 0.015, "MIN": -1, "MAX": 1},
    {"NAME": "hue", "LABEL": "Colour drift, turns a second", "TYPE": "float", "DEFAULT": 0.04, "MIN": -1, "MAX": 1},
    {"NAME": "push", "LABEL": "Extra zoom, for hits", "TYPE": "float", "DEFAULT": 0, "MIN": -1, "MAX": 1},
    {"NAME": "slide", "LABEL": "Slide, frame heights a second", "TYPE": "point2D", "DEFAULT": [0, 0], "MIN": [-1, -1], "MAX": [1, 1]},
    {"NAME": "centre", "LABEL": "Centre", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0, 0], "MAX": [1, 1]}
  ],
  "PASSES": [
    {"TARGET": "trail", "PERSISTENT": true}
  ]
}*/

// One frame's turn of the hue about the grey axis (Rodrigues, for a small angle), with the brightest
// channel put back to where it was: neither clipping nor rounding lets a long trail bleach or glow up.
vec3 hueTurned(vec3 c, float angle) {
    vec3 turned = max(c + angle * 0.57735 * (c.brg - c.gbr), 0.0);
    float before = max(c.r, max(c.g, c.b)), after = max(turned.r, max(turned.g, turned.b));
    return turned * (before / max(after, 1e-4));
}

void main() {
    vec4 here = IMG_THIS_PIXEL(inputImage);
    float dt = min(TIMEDELTA, 0.1), angle = 6.2831853 * rotate * dt;
    float scale = exp2(-(zoom + push) * dt);
    vec2 shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y), p = (isf_FragNormCoord - centre) * shape;
    p = (p + angle * vec2(p.y, -p.x)) * scale - slide * dt;
    vec2 from = centre + p / shape, out1 = abs(from - 0.5), here1 = abs(isf_FragNormCoord - 0.5);
    vec3 old = hueTurned(IMG_NORM_PIXEL(trail, clamp(from, 0.0, 1.0)).rgb, 6.2831853 * hue * dt);
    old *= exp2(-dt / (decay * amount + 1e-4));
    // Beyond the edges it is dark: what comes in from there fades in, without a seam.
    vec2 enters = mix(vec2(1.0), smoothstep(0.5, 0.44, out1), step(here1 + 1e-5, out1));
    old *= enters.x * enters.y;
    // Rounding to the nearest of 256 steps would let dark trails stand for ever. Dithered, the mean
    // falls, and black stays black (interleaved gradient noise, Jimenez 2014).
    vec2 at = gl_FragCoord.xy + 5.588238 * float(FRAMEINDEX & 63);
    float noise = fract(52.9829189 * fract(dot(at, vec2(0.06711056, 0.00583715))));
    old += (noise - 0.58) / 255.0;
    gl_FragColor = vec4(amount > 0.0 ? max(here.rgb, old) : here.rgb, here.a);
}
