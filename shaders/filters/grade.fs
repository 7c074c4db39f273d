/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The last word on colour: lift, gamma, gain, contrast, saturation, a palette of three, a dark frame; dithered.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Colour"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "lift", "LABEL": "Lift of the darks", "TYPE": "float", "DEFAULT": 0, "MIN": -0.3, "MAX": 0.3, "IDENTITY": 0},
    {"NAME": "gamma", "LABEL": "Brightness of the middle", "TYPE": "float", "DEFAULT": 1, "MIN": 0.3, "MAX": 3, "IDENTITY": 1},
    {"NAME": "gain", "LABEL": "Gain of the lights", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 3, "IDENTITY": 1},
    {"NAME": "contrast", "LABEL": "Contrast: darks fall, lights rise", "TYPE": "float", "DEFAULT": 0, "MIN": -1, "MAX": 1, "IDENTITY": 0},
    {"NAME": "saturation", "LABEL": "Saturation", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 2.5, "IDENTITY": 1},
    {"NAME": "hue", "LABEL": "Turn of all colours", "TYPE": "float", "DEFAULT": 0, "MIN": -1000, "MAX": 1000, "IDENTITY": 0},
    {"NAME": "tint", "LABEL": "Towards the palette", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "dark", "LABEL": "Palette: darks", "TYPE": "color", "DEFAULT": [0.0, 0.008, 0.03, 1]},
    {"NAME": "middle", "LABEL": "Palette: middle", "TYPE": "color", "DEFAULT": [0.62, 0.06, 0.2, 1]},
    {"NAME": "bright", "LABEL": "Palette: lights", "TYPE": "color", "DEFAULT": [1.0, 0.88, 0.62, 1]},
    {"NAME": "vignette", "LABEL": "Darkness of the frame's edge", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1, "IDENTITY": 0}
  ]
}*/

void main() {
    vec4 here = IMG_THIS_PIXEL(inputImage);
    vec3 c = here.rgb;
    if (hue != 0.0) {  // about the grey axis (Rodrigues)
        float a = 6.2831853 * hue, k = cos(a);
        c = max(c * k + sin(a) * 0.57735 * (c.brg - c.gbr) + (c.r + c.g + c.b) / 3.0 * (1.0 - k), 0.0);
    }
    c = max(c * gain + lift * (1.0 - c), 0.0);
    if (gamma != 1.0) c = pow(c, vec3(1.0 / gamma));
    // a curve through black, the middle of the picture (.35) and white, instead of a veil
    if (contrast != 0.0) {
        vec3 x = min(c, 1.0), s = x * x * (3.0 - 2.0 * x);
        c = contrast > 0.0 ? mix(c, s * (0.35 + 0.65 * x) * 1.12, contrast) : mix(c, sqrt(x) * 0.7, -contrast * 0.6);
    }
    float luma = dot(c, vec3(0.2126, 0.7152, 0.0722));
    if (saturation != 1.0) c = max(mix(vec3(luma), c, saturation), 0.0);
    vec3 ramp = luma < 0.4 ? mix(dark.rgb, middle.rgb, luma * 2.5) : mix(middle.rgb, bright.rgb, min((luma - 0.4) / 0.5, 1.0));
    c = mix(c, ramp, tint);
    vec2 edge = isf_FragNormCoord * (1.0 - isf_FragNormCoord);
    c *= mix(1.0, min(sqrt(edge.x * edge.y) * 5.0, 1.0), vignette);
    // Just under half a step: gradients lose their bands, and an ungraded picture stays as it was.
    float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    gl_FragColor = vec4(c + noise * 0.98 / 255.0, here.a);
}
