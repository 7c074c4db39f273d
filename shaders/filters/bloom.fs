/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Bright parts spread light around them, near and far; black stays black.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Light"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Bloom", "TYPE": "float", "DEFAULT": 0.6, "MIN": 0, "MAX": 2, "IDENTITY": 0},
    {"NAME": "threshold", "LABEL": "Brightness that begins to spill", "TYPE": "float", "DEFAULT": 0.45, "MIN": 0, "MAX": 1},
    {"NAME": "spread", "LABEL": "Near to far", "TYPE": "float", "DEFAULT": 0.55, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "More of it, for hits", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "tint", "LABEL": "Colour of the spill", "TYPE": "color", "DEFAULT": [1, 1, 1, 1]}
  ],
  "PASSES": [
    {"TARGET": "bright", "WIDTH": "max(floor($WIDTH/4), 4)", "HEIGHT": "max(floor($HEIGHT/4), 4)"},
    {"TARGET": "eighth", "WIDTH": "max(floor($WIDTH/8), 4)", "HEIGHT": "max(floor($HEIGHT/8), 4)"},
    {"TARGET": "far", "WIDTH": "max(floor($WIDTH/16), 4)", "HEIGHT": "max(floor($HEIGHT/16), 4)"},
    {"TARGET": "farther", "WIDTH": "max(floor($WIDTH/32), 4)", "HEIGHT": "max(floor($HEIGHT/32), 4)"},
    {"TARGET": "back", "WIDTH": "max(floor($WIDTH/16), 4)", "HEIGHT": "max(floor($HEIGHT/16), 4)"},
    {"TARGET": "near", "WIDTH": "max(floor($WIDTH/8), 4)", "HEIGHT": "max(floor($HEIGHT/8), 4)"},
    {"TARGET": "glow", "WIDTH": "max(floor($WIDTH/4), 4)", "HEIGHT": "max(floor($HEIGHT/4), 4)"},
    {}
  ]
}*/

// Halving and doubling with few bilinear taps ("dual filtering", Bjorge 2015): a wide, smooth blur
// that costs less than one pass at full size.

vec3 spilled(vec2 uv) {
    vec3 c = IMG_NORM_PIXEL(inputImage, uv).rgb;
    float value = max(c.r, max(c.g, c.b)), over = max(value - threshold, 0.0);
    return c * (over / max(value, 1e-3)) * (1.0 + threshold);
}

void main() {
    vec2 uv = isf_FragNormCoord, d = 0.5 / RENDERSIZE, e = vec2(d.x, -d.y);
    vec3 c = vec3(0.0);
    if (PASSINDEX == 0) {
        c = 0.25 * (spilled(uv + d * 0.5) + spilled(uv - d * 0.5) + spilled(uv + e * 0.5) + spilled(uv - e * 0.5));
    } else if (PASSINDEX == 1) {
        c = 0.25 * (IMG_NORM_PIXEL(bright, uv + d) + IMG_NORM_PIXEL(bright, uv - d) + IMG_NORM_PIXEL(bright, uv + e) + IMG_NORM_PIXEL(bright, uv - e)).rgb;
    } else if (PASSINDEX == 2) {
        c = 0.25 * (IMG_NORM_PIXEL(eighth, uv + d) + IMG_NORM_PIXEL(eighth, uv - d) + IMG_NORM_PIXEL(eighth, uv + e) + IMG_NORM_PIXEL(eighth, uv - e)).rgb;
    } else if (PASSINDEX == 3) {
        c = 0.25 * (IMG_NORM_PIXEL(far, uv + d) + IMG_NORM_PIXEL(far, uv - d) + IMG_NORM_PIXEL(far, uv + e) + IMG_NORM_PIXEL(far, uv - e)).rgb;
    } else if (PASSINDEX == 4) {
        vec2 r = 2.0 * d, s = 2.0 * e;
        c = 0.25 * (IMG_NORM_PIXEL(farther, uv + r) + IMG_NORM_PIXEL(farther, uv - r) + IMG_NORM_PIXEL(farther, uv + s) + IMG_NORM_PIXEL(farther, uv - s)).rgb;
        c = mix(IMG_THIS_PIXEL(far).rgb, c * 1.15, spread);
    } else if (PASSINDEX == 5) {
        vec2 r = 2.0 * d, s = 2.0 * e;
        c = 0.25 * (IMG_NORM_PIXEL(back, uv + r) + IMG_NORM_PIXEL(back, uv - r) + IMG_NORM_PIXEL(back, uv + s) + IMG_NORM_PIXEL(back, uv - s)).rgb;
        c = mix(IMG_THIS_PIXEL(eighth).rgb, c * 1.15, spread);
    } else if (PASSINDEX == 6) {
        vec2 r = 2.0 * d, s = 2.0 * e;
        c = 0.25 * (IMG_NORM_PIXEL(near, uv + r) + IMG_NORM_PIXEL(near, uv - r) + IMG_NORM_PIXEL(near, uv + s) + IMG_NORM_PIXEL(near, uv - s)).rgb;
        c = mix(IMG_THIS_PIXEL(bright).rgb, c * 1.15, 0.5 + 0.5 * spread);
    } else {
        vec4 here = IMG_THIS_PIXEL(inputImage);
        float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
        vec3 light = IMG_THIS_PIXEL(glow).rgb;
        light = min(max(light + noise / 255.0, 0.0) * tint.rgb * amount * (1.0 + 1.5 * hit), 1.0);
        gl_FragColor = vec4(here.rgb + light * (1.0 - here.rgb), here.a);  // screen: never past white
        return;
    }
    gl_FragColor = vec4(c, 1.0);
}
