/*{
  "ISFVSN": "2",
  "DESCRIPTION": "A cut: the new picture takes the place of the old one at the middle of the way.",
  "CREDIT": "perform",
  "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "LABEL": "Progress", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1}
  ]
}*/

void main() {
    gl_FragColor = progress < 0.5 ? IMG_THIS_PIXEL(startImage) : IMG_THIS_PIXEL(endImage);
}
