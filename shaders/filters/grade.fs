/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Colour correction, the last filter of a scene: lift, gamma, gain, contrast, saturation, a palette of three, dark edges; dithered.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Colour"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "lift", "LABEL": "Lift of the darks", "TYPE": "float", "DEFAULT": 0, "MIN": -0.3, "MAX": 0.3, "IDENTITY": 0},
    {"NAME": "gamma", "LABEL": "Brightness of the middle", "TYPE": "float", "DEFAULT": 1, "MIN": 0.3, "MAX": 3, "IDENTITY": 1},
    {"NAME": "gain", "LABEL": "Gain of the lights", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 3, "IDENTITY": 1},
    {"NAME": "contrast", "LABEL": "Contrast: darks fall, lights rise", "TYPE": "float", "DEFAULT": 0, "MIN": -1, "MAX": 1, "IDENTITY": 0},
    {"NAME": "saturation", "LABEL": "Saturation", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 2.5, "IDENTITY": 1},
    {"NAME": "hue", "LABEL": "Turn of all colours", "TYPE": "float", "DEFAULT": 0, "MIN": -1000, "MAX": 1000, "WRAP": true, "IDENTITY": 0},
    {"NAME": "tint", "LABEL": "Towards the palette", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "dark", "LABEL": "Palette: darks", "TYPE": "color", "DEFAULT": [0.0, 0.008, 0.03, 1]},
    {"NAME": "middle", "LABEL": "Palette: middle", "TYPE": "color", "DEFAULT": [0.62, 0.06, 0.2, 1]},
    {"NAME": "bright", "LABEL": "Palette: lights", "TYPE": "color", "DEFAULT": [1.0, 0.88, 0.62, 1]},
    {"NAME": "vignette", "LABEL": "Darkness of the frame's edge", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1, "IDENTITY": 0}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

void main() {
    vec4 here = IMG_THIS_PIXEL(inputImage);
    vec3 c = here.rgb;
    float k = 1.0 - sway(hue + 0.25), s = sway(hue) * 0.57735;  // about the grey axis (Rodrigues)
    c = max(c + k * ((c.r + c.g + c.b) / 3.0 - c) + s * (c.brg - c.gbr), 0.0);
    c = max(c * gain + lift * (1.0 - c), 0.0);
    // bends the middle, holds black and white, and is cheaper than a power (Schlick, Graphics Gems IV, 1994)
    c *= gamma / (1.0 + min(c, 1.0) * (gamma - 1.0));
    // Darks fall further than lights rise: contrast is to deepen the black.
    c += contrast * c * max(1.0 - c, 0.0) * (2.0 * c - 1.1);
    float luma = dot(c, vec3(0.2126, 0.7152, 0.0722));
    c = max(luma + (c - luma) * saturation, 0.0);
    float low = min(luma * 2.5, 1.0), high = clamp(luma * 2.0 - 0.8, 0.0, 1.0);
    c = mix(c, mix(mix(dark.rgb, middle.rgb, low), bright.rgb, high), tint);
    vec2 edge = isf_FragNormCoord * (1.0 - isf_FragNormCoord);
    c *= 1.0 - vignette * max(1.0 - sqrt(edge.x * edge.y) * 5.0, 0.0);
    // Just under half a step: gradients lose their bands, and an ungraded picture stays as it was.
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    gl_FragColor = vec4(c + noise * 0.95 / 255.0, here.a);
}
