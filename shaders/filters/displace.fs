/*{
  "ISFVSN": "2",
  "DESCRIPTION": "The picture as a liquid: slow waves bend it; a hit sends a fast wave through it.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Distortion"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Displacement", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "scale", "LABEL": "Swells across the short side", "TYPE": "float", "DEFAULT": 1.6, "MIN": 0.3, "MAX": 10},
    {"NAME": "speed", "LABEL": "Slow movement", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0, "MAX": 3},
    {"NAME": "hit", "LABEL": "Ring wave, runs outwards as it decays", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "relief", "LABEL": "Bent by its own brightness", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

void main() {
    vec2 shape = RENDERSIZE / min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 p = (isf_FragNormCoord - 0.5) * shape, q = p * scale * 0.5;
    float t = TIME * speed * 0.16;
    // each step bends the coordinates of the next: swells without a period to be seen
    vec2 bend = vec2(sway(q.y + t), sway(q.x * 1.1 - t * 1.3 + 0.3));
    bend += 0.6 * vec2(sway(1.7 * q.y + 0.35 * bend.x - t * 1.7), sway(1.9 * q.x + 0.35 * bend.y + t * 1.1));
    vec2 move = bend * 0.18 * amount / max(scale, 0.5);
    float light = dot(IMG_THIS_PIXEL(inputImage).rgb, vec3(0.299, 0.587, 0.114)), way = t + 0.7 * light;
    move += relief * amount * 0.25 * (light - 0.3) * vec2(sway(way), sway(way + 0.25));
    float radius = length(p), front = radius - 1.2 * (1.0 - hit);
    move += p / (radius + 0.05) * hit * 0.09 * max(1.0 - 30.0 * front * front, 0.0) * sign(amount);
    vec2 from = isf_FragNormCoord + move / shape;
    gl_FragColor = IMG_NORM_PIXEL(inputImage, 1.0 - abs(1.0 - mod(from, 2.0)));
}
