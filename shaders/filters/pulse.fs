/*{
  "ISFVSN": "2",
  "DESCRIPTION": "On a hit the picture becomes larger for a moment, and may flash; at most three times a second.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Beat"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "hit", "LABEL": "The hit", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "scale", "LABEL": "Jump towards the eye", "TYPE": "float", "DEFAULT": 0.12, "MIN": -0.5, "MAX": 1},
    {"NAME": "shake", "LABEL": "Shake", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1},
    {"NAME": "flash", "LABEL": "Flash of the bright parts", "TYPE": "float", "DEFAULT": 0.25, "MIN": 0, "MAX": 1},
    {"NAME": "fall", "LABEL": "Seconds until a flash is gone", "TYPE": "float", "DEFAULT": 0.3, "MIN": 0.1, "MAX": 1},
    {"NAME": "rate", "LABEL": "Most flashes a second", "TYPE": "float", "DEFAULT": 3, "MIN": 0.25, "MAX": 3},
    {"NAME": "light", "LABEL": "Colour of the flash", "TYPE": "color", "DEFAULT": [1.0, 0.95, 0.85, 1]}
  ],
  "PASSES": [
    {"TARGET": "state", "WIDTH": "1", "HEIGHT": "1", "PERSISTENT": true, "FLOAT": true},
    {}
  ]
}*/

float sway(float turns) {  // a sine drawn with parabolas, to a thousandth and a third of its cost
    float x = fract(turns) - 0.5, y = 8.0 * x * (2.0 * abs(x) - 1.0);
    return y * (0.775 + 0.225 * abs(y));
}

void main() {
    // [brightness of the flash, seconds since it began (at most 8), the hit a frame ago]
    vec3 was = FRAMEINDEX == 0 ? vec3(0.0, 8.0, 1.0) : texelFetch(state, ivec2(0), 0).xyz;
    if (PASSINDEX == 0) {
        float since = min(was.y + TIMEDELTA, 8.0);
        bool begins = hit > was.z + 0.1 && since >= 1.0 / rate;
        gl_FragColor = begins ? vec4(hit, 0.0, hit, 1.0) : vec4(max(was.x - TIMEDELTA / fall, 0.0), since, hit, 1.0);
        return;
    }
    vec2 uv = isf_FragNormCoord - 0.5;
    uv /= 1.0 + scale * hit;
    uv += 0.02 * shake * hit * vec2(sway(TIME * 11.3), sway(TIME * 13.2 + 0.16));
    vec4 here = IMG_NORM_PIXEL(inputImage, 1.0 - abs(1.0 - mod(uv + 0.5, 2.0)));
    // The flash lifts what is lit already: black stays black, and the frame as a whole changes little.
    float power = flash * was.x * was.x;
    vec3 lifted = here.rgb + power * light.rgb * (1.6 * max(here.r, max(here.g, here.b)));
    gl_FragColor = vec4(mix(here.rgb, lifted, step(1e-4, power)), here.a);
}
