/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Scan lines that bright parts of the picture lift, like a landscape. After the Rutt/Etra video synthesiser, 1973.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Line"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the lines", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "lines", "LABEL": "Lines", "TYPE": "float", "DEFAULT": 56, "MIN": 10, "MAX": 120},
    {"NAME": "height", "LABEL": "Height of the landscape", "TYPE": "float", "DEFAULT": 0.9, "MIN": 0, "MAX": 1},
    {"NAME": "hit", "LABEL": "Jump of the landscape", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "weight", "LABEL": "Line weight", "TYPE": "float", "DEFAULT": 0.4, "MIN": 0.05, "MAX": 0.9},
    {"NAME": "own", "LABEL": "In the picture's own colours", "TYPE": "float", "DEFAULT": 0.7, "MIN": 0, "MAX": 1},
    {"NAME": "low", "LABEL": "Valleys", "TYPE": "color", "DEFAULT": [0.06, 0.1, 0.5, 1]},
    {"NAME": "high", "LABEL": "Peaks", "TYPE": "color", "DEFAULT": [1.0, 0.85, 0.6, 1]}
  ],
  "PASSES": [
    {"TARGET": "small", "WIDTH": "max(floor($WIDTH/4), 8)", "HEIGHT": "max(floor($HEIGHT/4), 8)"},
    {"TARGET": "soft", "WIDTH": "max(floor($WIDTH/4), 8)", "HEIGHT": "max(floor($HEIGHT/4), 8)"},
    {}
  ]
}*/

void main() {
    vec2 uv = isf_FragNormCoord;
    if (PASSINDEX < 2) {  // a quarter-size picture, twice softened: noise in it would tear the lines
        vec2 d = 1.2 / RENDERSIZE, e = vec2(d.x, -d.y);
        if (PASSINDEX == 0)
            gl_FragColor = 0.25 * (IMG_NORM_PIXEL(inputImage, uv + d) + IMG_NORM_PIXEL(inputImage, uv - d) + IMG_NORM_PIXEL(inputImage, uv + e) + IMG_NORM_PIXEL(inputImage, uv - e));
        else
            gl_FragColor = 0.25 * (IMG_NORM_PIXEL(small, uv + d) + IMG_NORM_PIXEL(small, uv - d) + IMG_NORM_PIXEL(small, uv + e) + IMG_NORM_PIXEL(small, uv - e));
        return;
    }
    float gap = 1.0 / lines, pixel = lines / RENDERSIZE.y, row = uv.y * lines;
    float lift = 1.95 * height * (0.6 + 0.4 * hit);  // in gaps; under 2, so that three lines are enough
    vec3 colour = vec3(0.0);
    // from the far line to the near one: a nearer ridge hides what is behind it
    for (int k = 0; k >= -2; k--) {
        float line = floor(row) + float(k);
        vec3 c = IMG_NORM_PIXEL(soft, vec2(uv.x, (line + 0.5) * gap)).rgb;
        float light = dot(c, vec3(0.299, 0.587, 0.114));
        float d = row - (line + 0.2 + lift * light);
        colour *= clamp(0.5 + d / pixel, 0.0, 1.0);
        float value = max(c.r, max(c.g, c.b));
        vec3 tone = mix(mix(low.rgb, high.rgb, light), c / max(value, 0.1), own) * (0.1 + value * (0.6 + 0.4 * value));
        colour = mix(colour, tone, clamp((0.5 * weight - abs(d)) / pixel + 0.5, 0.0, 1.0));
    }
    vec4 here = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(here.rgb, colour, amount), here.a);
}
