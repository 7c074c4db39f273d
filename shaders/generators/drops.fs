/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Drops of dark mercury that meet, merge and separate; two lights shine on their edges.",
  "CREDIT": "perform",
  "CATEGORIES": ["Generator", "Organic"],
  "INPUTS": [
    {"NAME": "size", "LABEL": "Size of the drops", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.1, "MAX": 1},
    {"NAME": "spread", "LABEL": "Spread over the frame", "TYPE": "float", "DEFAULT": 0.62, "MIN": 0, "MAX": 1},
    {"NAME": "speed", "LABEL": "Slow movement", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0, "MAX": 3},
    {"NAME": "hit", "LABEL": "Swell", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "ripple", "LABEL": "Rings in the surface", "TYPE": "float", "DEFAULT": 0.35, "MIN": 0, "MAX": 1},
    {"NAME": "turn", "LABEL": "Turn of the lights", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1000, "WRAP": true},
    {"NAME": "ground", "LABEL": "Ground", "TYPE": "color", "DEFAULT": [0.0, 0.0, 0.01, 1]},
    {"NAME": "body", "LABEL": "Body", "TYPE": "color", "DEFAULT": [0.05, 0.02, 0.14, 1]},
    {"NAME": "key", "LABEL": "First light", "TYPE": "color", "DEFAULT": [1.0, 0.42, 0.2, 1]},
    {"NAME": "rim", "LABEL": "Second light", "TYPE": "color", "DEFAULT": [0.1, 0.75, 0.85, 1]}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, a fifth of its cost
    float x = fract(turns) - 0.5;
    return 8.0 * x * (2.0 * abs(x) - 1.0);
}

void main() {
    float unit = min(RENDERSIZE.x, RENDERSIZE.y);
    vec2 shape = RENDERSIZE / unit, p = (isf_FragNormCoord - 0.5) * shape;
    float t = TIME * speed, field = 0.0;
    vec2 slope = vec2(0.0);
    for (int i = 0; i < 7; i++) {
        float k = float(i) * 0.381966;  // the golden angle keeps seven orbits apart
        vec2 orbit = vec2(sway(t * (0.031 + 0.006 * float(i)) + k), sway(t * (0.027 + 0.005 * float(i)) + 0.25 + 1.7 * k));
        float r = size * (0.26 + 0.1 * sway(k * 3.0 + t * 0.05)) * (1.0 + 0.4 * hit * fract(k));
        vec2 d = p - 0.5 * spread * shape * orbit;
        float near = 1.0 / (dot(d, d) + 1e-4), part = r * r * near;
        part *= part;  // the fourth power keeps far drops from fattening each other
        field += part;
        slope -= part * near * d;
    }
    // height of a dome over the contour field = 1
    float inside = smoothstep(0.94, 1.06, field);
    float height = 1.0 - 1.0 / max(field, 1.0);
    vec2 lean = normalize(slope + 1e-6);
    float tilt = sqrt(max(1.0 - height, 0.0));  // 1 at the rim, 0 on top
    vec3 normal = vec3(lean * tilt * -1.0, sqrt(max(1.0 - tilt * tilt, 0.0)));
    float rings = sway(log2(field + 1.0) * 2.2 - t * 0.48 - 0.8 * hit);
    normal.xy += lean * rings * 0.16 * ripple * inside;
    float angle = turn + t * 0.032;
    vec2 sun = vec2(sway(angle + 0.25), sway(angle));
    float front = max(dot(normal, normalize(vec3(sun, 0.55))), 0.0);
    float back = max(dot(normal, normalize(vec3(-sun, 0.15))), 0.0);
    vec3 colour = body.rgb * (0.3 + 0.7 * normal.z);
    float f2 = front * front, f8 = f2 * f2 * f2 * f2;
    colour += key.rgb * (0.3 * f2 + 0.8 * f8) + vec3(0.7) * f8 * f8 * f8;
    colour += rim.rgb * (0.25 * back + back * back * back) * (0.4 + 0.6 * tilt) * (1.0 + hit);
    gl_FragColor = vec4(mix(ground.rgb, colour, inside), 1.0);
}
