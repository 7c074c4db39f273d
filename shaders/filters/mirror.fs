/*{
  "ISFVSN": "2",
  "DESCRIPTION": "One mirror at any angle, or two at right angles.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Geometry"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the plain picture to the mirrored one", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "angle", "LABEL": "Turn of the mirror; 0 stands upright and shows the left half", "TYPE": "float", "DEFAULT": 0, "MIN": -1000, "MAX": 1000, "WRAP": true},
    {"NAME": "crossed", "LABEL": "A second mirror across the first", "TYPE": "bool", "DEFAULT": false},
    {"NAME": "centre", "LABEL": "Place of the mirror", "TYPE": "point2D", "DEFAULT": [0.5, 0.5], "MIN": [0, 0], "MAX": [1, 1]},
    {"NAME": "slide", "LABEL": "The picture slides into the mirror", "TYPE": "float", "DEFAULT": 0, "MIN": -1, "MAX": 1},
    {"NAME": "seam", "LABEL": "Glow along the seam", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "light", "LABEL": "Colour of the seam", "TYPE": "color", "DEFAULT": [1, 0.85, 0.6, 1]}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

void main() {
    vec2 shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 normal = vec2(sway(angle + 0.25), sway(angle)), along = vec2(-normal.y, normal.x);
    vec2 p = (isf_FragNormCoord - centre) * shape;
    float x = dot(p, normal), y = dot(p, along), near = abs(x);
    vec2 q = -near * normal + (crossed ? abs(y) : y) * along;
    q -= slide * normal;
    near = crossed ? min(near, abs(y)) : near;
    vec2 from = mix(isf_FragNormCoord, centre + q / shape, amount);
    vec4 c = IMG_NORM_PIXEL(inputImage, 1.0 - abs(1.0 - mod(from, 2.0)));
    c.rgb += light.rgb * (amount * seam * seam * 0.006 / (near + 0.006)) * (1.0 - c.rgb);
    gl_FragColor = c;
}
