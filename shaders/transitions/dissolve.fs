/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The new picture appears through a noise pattern, spot by spot; at softness 1 a plain fade.",
  "CREDIT": "perform",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "Progress", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "softness", "LABEL": "Softness of the edge", "TYPE": "float", "DEFAULT": 0.07, "MIN": 0, "MAX": 1},
    {"NAME": "scale", "LABEL": "Islands along the short side", "TYPE": "float", "DEFAULT": 4, "MIN": 0.5, "MAX": 20},
    {"NAME": "glow", "LABEL": "Light on the edge", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0, "MAX": 1},
    {"NAME": "ember", "LABEL": "Colour of the edge", "TYPE": "color", "DEFAULT": [1.0, 0.55, 0.2, 1]}
  ]
}*/

uint word(uint n) {  // PCG (O'Neill 2014)
    n = n * 747796405u + 2891336453u;
    n = ((n >> ((n >> 28u) + 4u)) ^ n) * 277803737u;
    return (n >> 22u) ^ n;
}

float lattice(ivec2 p) {
    return float(word(uint(p.x + 4096) + word(uint(p.y + 4096))) >> 8u) / 16777215.0;
}

float noise(vec2 p) {
    ivec2 i = ivec2(floor(p));
    vec2 f = fract(p);
    f = f * f * (3.0 - 2.0 * f);
    return mix(mix(lattice(i), lattice(i + ivec2(1, 0)), f.x), mix(lattice(i + ivec2(0, 1)), lattice(i + ivec2(1, 1)), f.x), f.y);
}

void main() {
    vec2 p = (isf_FragNormCoord - 0.5) * RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y) * scale;
    float field = 0.68 * noise(p) + 0.32 * noise(p * 3.7 + 9.0);  // 0..1
    field = clamp(field * 1.5 - 0.25, 0.0, 1.0);
    float soft = max(softness, 0.005);
    float share = clamp((progress - field * (1.0 - soft)) / soft, 0.0, 1.0);
    vec4 from = IMG_THIS_PIXEL(startImage), to = IMG_THIS_PIXEL(endImage), c = mix(from, to, share);
    // nothing glows at either end, nor in a plain fade
    float edge = 3.0 * share * (1.0 - share) * glow * (1.0 - softness) * min(min(progress, 1.0 - progress) * 12.0, 1.0);
    c.rgb += ember.rgb * edge * (1.0 - c.rgb);
    gl_FragColor = progress >= 1.0 ? to : c;
}
