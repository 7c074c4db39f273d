/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Blades open like an iris, and the new picture behind them becomes larger.",
  "CREDIT": "perform",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "Progress", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "blades", "LABEL": "Blades; 0 is a circle", "TYPE": "float", "DEFAULT": 6, "MIN": 0, "MAX": 12},
    {"NAME": "turn", "LABEL": "Turns while it opens", "TYPE": "float", "DEFAULT": 0.2, "MIN": -2, "MAX": 2},
    {"NAME": "zoom", "LABEL": "Zoom of the new picture", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0, "MAX": 1},
    {"NAME": "rim", "LABEL": "Light on the rim", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0, "MAX": 1},
    {"NAME": "light", "LABEL": "Colour of the rim", "TYPE": "color", "DEFAULT": [1.0, 0.85, 0.6, 1]},
    {"NAME": "centre", "LABEL": "Centre", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0, 0], "MAX": [1, 1]}
  ]
}*/

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y), pixel = 1.0 / unit;
    vec2 shape = RENDERSIZE / unit, p = (isf_FragNormCoord - centre) * shape;
    float eased = progress * progress * (3.0 - 2.0 * progress), open = eased;
    float radius = length(p);
    if (blades >= 2.5) {
        float count = floor(blades + 0.5), wedge = 6.2831853 / count;
        float angle = atan(p.y, p.x) + turn * 6.2831853 * (1.0 - eased);
        radius *= cos(mod(angle, wedge) - 0.5 * wedge);  // distance along the blade's normal
    }
    vec2 corner = (abs(centre - 0.5) + 0.5) * shape;
    float d = radius - open * (length(corner) + 0.05);
    float share = progress <= 0.0 ? 0.0 : progress >= 1.0 ? 1.0 : clamp(0.5 - d / (1.5 * pixel), 0.0, 1.0);
    vec2 from = centre + (isf_FragNormCoord - centre) * (1.0 - zoom * (1.0 - eased));
    vec4 c = mix(IMG_THIS_PIXEL(startImage), IMG_NORM_PIXEL(endImage, from), share);
    float ends = min(min(progress, 1.0 - progress) * 10.0, 1.0);
    c.rgb += light.rgb * rim * ends * (0.008 / (abs(d) + 0.008)) * (1.0 - c.rgb);
    gl_FragColor = c;
}
