/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A screen print: a few flat colours with clean, moving borders.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Print"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "From the picture to the print", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "inks", "LABEL": "In these inks, or in the picture's colours", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1},
    {"NAME": "levels", "LABEL": "Steps of the picture's colours", "TYPE": "float", "DEFAULT": 4, "MIN": 2, "MAX": 12},
    {"NAME": "shift", "LABEL": "Lets the borders wander", "TYPE": "float", "DEFAULT": 0, "MIN": -1, "MAX": 1},
    {"NAME": "even", "LABEL": "Prints a dark picture as bright as any other", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "screen", "LABEL": "Dots between two inks", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0, "MAX": 1},
    {"NAME": "columns", "LABEL": "Prints beside each other", "TYPE": "float", "DEFAULT": 1, "MIN": 1, "MAX": 8},
    {"NAME": "rows", "LABEL": "Prints above each other", "TYPE": "float", "DEFAULT": 1, "MIN": 1, "MAX": 8},
    {"NAME": "turn", "LABEL": "Prints done: each next one takes other inks", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 6720, "WRAP": true},
    {"NAME": "paper", "LABEL": "Darkest", "TYPE": "color", "DEFAULT": [0.008, 0.008, 0.024, 1]},
    {"NAME": "first", "LABEL": "First ink", "TYPE": "color", "DEFAULT": [0.16, 0.08, 0.42, 1]},
    {"NAME": "second", "LABEL": "Second ink", "TYPE": "color", "DEFAULT": [0.95, 0.22, 0.25, 1]},
    {"NAME": "third", "LABEL": "Lightest", "TYPE": "color", "DEFAULT": [1.0, 0.9, 0.68, 1]}
  ],
  "PASSES": [
    {"TARGET": "glance", "WIDTH": "16", "HEIGHT": "16", "FLOAT": true},
    {"TARGET": "light", "WIDTH": "1", "HEIGHT": "1", "FLOAT": true},
    {}
  ]
}*/

float luma(vec3 c) {
    return dot(c, vec3(0.299, 0.587, 0.114));
}

float glanced() {  // the brightness of a part of the picture
    float sum = 0.0;
    for (int i = 0; i < 9; i++) sum += luma(IMG_NORM_PIXEL(inputImage, isf_FragNormCoord + (vec2(i % 3, i / 3) - 1.0) / 48.0).rgb);
    return sum / 9.0;
}

float bright() {  // of the bright parts of the picture: the mean of all, each weighed by its own cube
    vec2 sum = vec2(1e-6);
    for (int i = 0; i < 256; i++) {
        float part = texelFetch(glance, ivec2(i & 15, i >> 4), 0).r, weight = part * part * part;
        sum += vec2(part * weight, weight);
    }
    return sum.x / sum.y;
}

vec3[4] inked(float number, float count) {  // the inks of a print, from its ground to its lights
    float done = floor((floor(turn) + count - 1.0 - mod(number * 3.0, count)) / count);
    int kind = int(mod(number + floor(number / 4.0) + done, 4.0));
    if (kind == 1) return vec3[4](first.rgb, paper.rgb, third.rgb, second.rgb);
    if (kind == 2) return vec3[4](second.rgb, paper.rgb, first.rgb, third.rgb);
    if (kind == 3) return vec3[4](paper.rgb, second.rgb, third.rgb, first.rgb);
    return vec3[4](paper.rgb, first.rgb, second.rgb, third.rgb);
}

void main() {
    if (PASSINDEX < 2) {
        gl_FragColor = vec4(PASSINDEX == 0 ? glanced() : bright(), 0.0, 0.0, 1.0);
        return;
    }
    vec2 sheet = floor(vec2(columns, rows) + 0.5), at = isf_FragNormCoord * sheet, cell = floor(at), inside = at - cell;
    vec2 part = min(vec2(sheet.y / sheet.x, sheet.x / sheet.y), 1.0);  // of the picture, in its own proportions
    vec4 here = IMG_NORM_PIXEL(inputImage, 0.5 + (inside - 0.5) * part);
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    // a round dot at 45 degrees decides between two neighbours, as a printer's screen does
    vec2 dot45 = mat2(0.7071, 0.7071, -0.7071, 0.7071) * (gl_FragCoord.xy * (120.0 / unit));
    vec2 spot = abs(fract(dot45) - 0.5);
    float dotted = (1.0 - 2.0 * (spot.x + spot.y)) * 0.5 * screen;
    float exposure = mix(1.0, clamp(0.6 / max(texelFetch(light, ivec2(0), 0).r, 1e-3), 0.8, 3.0), even);
    float value = luma(here.rgb) * exposure + 0.25 * shift, level = clamp(value, 0.0, 1.0) * 3.6 - 0.1 + dotted;
    float soft = 4.0 * fwidth(value) + 0.02;  // the border is as sharp as the picture allows
    vec3 ink[4] = inked(cell.x + cell.y * sheet.x, sheet.x * sheet.y);
    vec3 print = ink[0];
    for (int i = 1; i < 4; i++) print = mix(print, ink[i], clamp((level - float(i) + 0.5) / soft + 0.5, 0.0, 1.0));
    vec2 margin = step(1.0, sheet - 1.0) * step(abs(inside - 0.5), 0.5 - 0.006 * sheet * unit / RENDERSIZE) + step(sheet, vec2(1.0));
    print = mix(paper.rgb, print, margin.x * margin.y);
    float count = floor(levels + 0.5) - 1.0;
    vec3 flat3 = floor(clamp(here.rgb * exposure + 0.25 * shift, 0.0, 1.0) * count + 0.5 + dotted * 0.9) / count;
    gl_FragColor = vec4(mix(here.rgb, mix(flat3, print, inks), amount), here.a);
}
