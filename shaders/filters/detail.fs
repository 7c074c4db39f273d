/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Gives an enlarged picture back its bite: crisper edges, and a fine tooth that follows them.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Texture"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Sharpness", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "reach", "LABEL": "Size of the source's pixels, in thousandths of the short side", "TYPE": "float", "DEFAULT": 3.5, "MIN": 1, "MAX": 10},
    {"NAME": "tooth", "LABEL": "Tooth", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0, "MAX": 1, "IDENTITY": 0}
  ]
}*/

void main() {
    vec2 uv = isf_FragNormCoord, d = 0.001 * reach * min(RENDERSIZE.x, RENDERSIZE.y) / RENDERSIZE;
    vec4 here = IMG_THIS_PIXEL(inputImage);
    vec3 a = IMG_NORM_PIXEL(inputImage, uv + vec2(d.x, 0.4 * d.y)).rgb, b = IMG_NORM_PIXEL(inputImage, uv - vec2(d.x, 0.4 * d.y)).rgb;
    vec3 e = IMG_NORM_PIXEL(inputImage, uv + vec2(-0.4 * d.x, d.y)).rgb, f = IMG_NORM_PIXEL(inputImage, uv - vec2(-0.4 * d.x, d.y)).rgb;
    vec3 mean = 0.25 * (a + b + e + f), crisp = here.rgb - mean;
    vec3 low = min(min(a, b), min(e, f)), high = max(max(a, b), max(e, f));
    float noise = fract(52.9829189 * fract(dot(floor(gl_FragCoord.xy), vec2(0.06711056, 0.00583715)))) - 0.5;
    vec3 sharp = here.rgb + 2.2 * amount * crisp + tooth * noise * (high - low) * 0.7;
    // a sixth beyond what lies around is bite, more would be a halo
    vec3 room = (high - low) * 0.17 + 1e-6;
    vec3 held = clamp(sharp, min(low, here.rgb) - room, max(high, here.rgb) + room);
    gl_FragColor = vec4(mix(here.rgb, held, step(1e-5, amount + tooth)), here.a);
}
