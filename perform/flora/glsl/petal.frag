// A petal in its light.
uniform sampler2D inner, outer;  // as painted
uniform vec2 texels;             // of the sheet
uniform float veins;

void main() {
    float u = painted.x, v = painted.y, number = painted.z;
    vec4 place = tile(number);
    vec2 inset = 0.5 / texels;
    vec2 uv = clamp(place.xy + vec2(0.5 * u + 0.5, v) * place.zw, place.xy + inset, place.xy + place.zw - inset);
    vec4 front = texture(inner, uv), back = texture(outer, uv);
#ifdef CUT
    if (front.a < 0.5) discard;
#endif
    bool inside = dot(facing, eye - at) < 0.0;
    vec3 skin = inside ? front.rgb : back.rgb;
    vec3 albedo = skin * skin;

    vec3 n = normalize(facing) * (inside ? -1.0 : 1.0);
    n = normalize(n + normalize(cross(n, vec3(0.3, 0.2, 1.0))) * (0.15 + 0.5 * veins) * (back.a - 0.5));
    float vein = u / (0.42 + 0.85 * v);
    float rim = min(1.0 - abs(u), (1.0 - v) * 1.7);
    float thick = 0.16 + 0.3 * smoothstep(0.0, 0.5, rim) + 0.5 * exp(-vein * vein * 30.0) * (1.0 - 0.6 * v) + 0.9 * smoothstep(0.3, 0.0, v);
    vec3 thin = 0.8 * pow(albedo, vec3(0.6 + 0.5 * thick)) * exp(-0.9 * thick) * (1.0 + 0.7 * veins * (back.a - 0.5));
    light = vec4(lit(albedo, n, 0.36 * albedo, thin), 1.0);
}
