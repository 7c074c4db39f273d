/*{
  "ISFVSN": "2",
  "DESCRIPTION": "Lays a second picture over the first: a film over a generator, a generator over a camera. The preset says which, in a table named over.",
  "CREDIT": "perform",
  "CATEGORIES": ["Filter", "Compositing"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "over", "LABEL": "The second picture", "TYPE": "image"},
    {"NAME": "amount", "LABEL": "Share of the second picture", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0},
    {"NAME": "mode", "LABEL": "How they meet", "TYPE": "long", "DEFAULT": 0, "VALUES": [0, 1, 2, 3, 4, 5, 6],
      "LABELS": ["over", "add", "screen", "multiply", "difference", "lighten", "mask"]}
  ]
}*/

// Colours that come with an alpha below 1 are multiplied by it already, as films and stills give them.
vec3 met(vec3 below, vec4 above) {
    if (mode == 1) return below + above.rgb;
    if (mode == 2) return below + above.rgb * (1.0 - below);
    if (mode == 3) return below * (above.rgb + 1.0 - above.a);
    if (mode == 4) return abs(below - above.rgb);
    if (mode == 5) return max(below, above.rgb);
    if (mode == 6) return below * dot(above.rgb, vec3(0.299, 0.587, 0.114));
    return below * (1.0 - above.a) + above.rgb;
}

void main() {
    vec4 here = IMG_THIS_PIXEL(inputImage), above = IMG_THIS_PIXEL(over);
    float alpha = mode == 0 ? max(here.a, above.a) : here.a;
    gl_FragColor = mix(here, vec4(met(here.rgb, above), alpha), amount);
}
