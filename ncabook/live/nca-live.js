// Built from ncabook/live/engine by build.py. Change the sources there, not this file.
const KERNELS = "AGFzbQEAAAABdQpgBn9/f39/fwBgB39/f399f38AYAR/f39/AGAEf39/fwF/YBB/f39/f39/f39/fX9/f39/AGAKf39/f39/f39/fwBgDX9/f39/f31/f39/f38AYAl/f39/f319f38AYAV/f39/fwBgC39/f39/f39/f39/AAMNDAABAgMEBQYHCAkAAAQFAXABAQEFAwEAAQYPAn8BQYCAAQt/AEGAgAELB5QBDgZtZW1vcnkCAAlmaXJlX21hc2sAAAtsaXZpbmdfbWFzawABC2RpbGF0ZV9tYXNrAAIKbGlzdF9jZWxscwADBGNvbnYABARiYW5rAAUGYXR0ZW5kAAYEbm9ybQAHBGdlbHUACAZnYXRoZXIACQphZGRfY2hhbmdlAAoJemVyb19kZWFkAAsLX19oZWFwX2Jhc2UDAQrIWgyXBgQCfwF7BX8KewJAIAFBAUgNACACQfD///8HcSEGIAQgA0Gf5urYfGxzIQcgBf0RIQhBACEJIAJBAUghCiACQRBJIQsDQAJAIAoNACAHIAlBwfDYwH1scyEMQQAhAwJAAkAgC0UNACAAIQ0MAQsgACAGaiENIAz9ESEO/QwMAAAADQAAAA4AAAAPAAAAIQ/9DAgAAAAJAAAACgAAAAsAAAAhEP0MBAAAAAUAAAAGAAAABwAAACER/QwAAAAAAQAAAAIAAAADAAAAIRIgBiEEA0AgACAOIBL9DEOzpo1Ds6aNQ7OmjUOzpo0iE/21Af1RIhRBEP2tASAU/VH9DC01638tNet/LTXrfy01638iFP21ASIVQQ/9rQEgFf1R/QyLpmyEi6ZshIumbISLpmyEIhX9tQEiFkEY/a0BIBZBCP2tAf1RIAj9Ov0M/wAAAP8AAAD/AAAA/wAAACIW/U4gDiARIBP9tQH9USIXQRD9rQEgF/1RIBT9tQEiF0EP/a0BIBf9USAV/bUBIhdBGP2tASAXQQj9rQH9USAI/TogFv1O/YYBIA4gECAT/bUB/VEiF0EQ/a0BIBf9USAU/bUBIhdBD/2tASAX/VEgFf21ASIXQRj9rQEgF0EI/a0B/VEgCP06IBb9TiAOIA8gE/21Af1RIhNBEP2tASAT/VEgFP21ASITQQ/9rQEgE/1RIBX9tQEiE0EY/a0BIBNBCP2tAf1RIAj9OiAW/U79hgH9Zv0MAQEBAQEBAQEBAQEBAQEBAf1O/QsAACAS/QwQAAAAEAAAABAAAAAQAAAAIhP9rgEhEiAAQRBqIQAgESAT/a4BIREgECAT/a4BIRAgDyAT/a4BIQ8gBEFwaiIEDQALIAYhAyANIQAgAiAGRg0BCyADQcPmmu14bCEEIAIgA2shAyANIQADQCAAIAwgBHMiDUEQdiANc0Gt6qz/B2wiDUEPdiANc0GLzbKjeGwiDUEYdiANQQh2cyAFSToAACAEQcPmmu14aiEEIABBAWohACADQX9qIgMNAAsLIAlBAWoiCSABRw0ACwsL7AMBCn8CQCAFQQFIDQAgASADQQJ0aiEHQX8hCEEBIQlBACEKA0ACQCAGQQFIDQBBACEDIAYgCkEAIAUgCiAFSBtrbCELIAYgCUEAIAUgCkEBaiAFSBtrbCEMIAZBACAFQQAgCiAFShtrIAUgChsgCGpsIQ0DQEEBIQECQCAHIA1BACAGQQAgAyAGShtrIAYgAxsiDmogA2pBf2ogAmxBAnRqKgIAIAReDQAgByANIANqIg9BACAGIAMgBkgbIhBrIAJsQQJ0aioCACAEXg0AQQEhASAHIA9BACAGIANBAWogBkgba0EBaiACbEECdGoqAgAgBF4NACAHIAsgDmogA2pBf2ogAmxBAnRqKgIAIAReDQAgByALIANqIg8gEGsgAmxBAnRqKgIAIAReDQBBASEBIAcgD0EAIAYgA0EBaiAGSBtrQQFqIAJsQQJ0aioCACAEXg0AIAcgDCAOaiADakF/aiACbEECdGoqAgAgBF4NACAHIAwgA2oiDiAQayACbEECdGoqAgAgBF4NACAHIA5BACAGIANBAWogBkgba0EBaiACbEECdGoqAgAgBF4hAQsgACADaiABOgAAIAYgA0EBaiIDRw0ACwsgACAGaiEAIAhBAWohCCAJQQFqIQkgCkEBaiIKIAVHDQALCwv3FAcHfwF7D38EewF/BHs8fwJAIAJBAUgNACAAIAFBAWoiBCADIAJsIgVqSSABQX9qIgYgACAFaiIHSXEgACAEIAMgAkF/amxqSSABIANrQQFqIAdJcXIgACAGIAMgAkEBamxqSSAGIANqIAdJcXIhCEEAIANrIQkgA0Hw////B3EhCiAD/REhCyADQRBJIQwgASENIAAhDkEAIQ8DQCAPQQFqIRACQAJAIANBAEoNACAQIQ8MAQtBACERIAEgD0EBaiISQQAgAiASIAJIGyITayADbCIUaiEFIAEgD0EAIAIgD0EAShsiFWoiFkF/aiADbCIXaiEYQQAhGQJAAkAgDA0AQQAhGSAAIAQgAyAPQQJqIBNrbCIaakkgBiAUaiAHSXEgACAEIBRqSSAEIAMgDyATa2xqIAdJcXIgACAGIAMgD0EDaiATa2xqSSAGIBpqIAdJcXIgCHINAEEAIRkgACAEIAMgFmwiE2pJIAYgF2ogB0lxDQBBACEZIAAgBCAXakkgBCADIBUgD0F+ampsaiAHSXENAEEAIRkgACAGIAMgFSAQamxqSSAGIBNqIAdJcQ0AIAEgDyADbGohGf0MDAAAAA0AAAAOAAAADwAAACEb/QwIAAAACQAAAAoAAAALAAAAIRz9DAQAAAAFAAAABgAAAAcAAAAhHf0MAAAAAAEAAAACAAAAAwAAACEeIBghDyANIRAgBSETIA4hFCAKIR8DQCAUIBggG/0M/////////////////////yIg/a4BIiH9GwMiF2ogG/0MAAAAAAAAAAAAAAAAAAAAACIi/TcgC/1OIiP9GwMiFWogGCAh/RsCIhZqICP9GwIiGmogGCAh/RsBIiRqICP9GwEiJWogGCAh/RsAIiZqICP9GwAiJ2ogGCAcICD9rgEiIf0bAyIoaiAcICL9NyAL/U4iI/0bAyIpaiAYICH9GwIiKmogI/0bAiIraiAYICH9GwEiLGogI/0bASItaiAYICH9GwAiLmogI/0bACIvaiAYIB0gIP2uASIh/RsDIjBqIB0gIv03IAv9TiIj/RsDIjFqIBggIf0bAiIyaiAj/RsCIjNqIBggIf0bASI0aiAj/RsBIjVqIBggIf0bACI2aiAj/RsAIjdqIBggHiAg/a4BIiD9GwMiOGogHiAi/TcgC/1OIiH9GwMiOWogGCAg/RsCIjpqICH9GwIiO2ogGCAg/RsBIjxqICH9GwEiPWogGCAg/RsAIj5qICH9GwAiP2r9BwAA/VQAAAH9VAAAAv1UAAAD/VQAAAT9VAAABf1UAAAG/VQAAAf9VAAACP1UAAAJ/VQAAAr9VAAAC/1UAAAM/VQAAA39VAAADv1UAAAPIA/9AAAA/VAgGCAb/QwBAAAAAQAAAAEAAAABAAAAIiH9rgEiIP0bAyJAaiAgIAv9PyAL/U79oQEiIv0bAyJBaiAYICD9GwIiQmogIv0bAiJDaiAYICD9GwEiRGogIv0bASJFaiAYICD9GwAiRmogIv0bACJHaiAYIBwgIf2uASIg/RsDIkhqICAgC/0/IAv9Tv2hASIi/RsDIklqIBggIP0bAiJKaiAi/RsCIktqIBggIP0bASJMaiAi/RsBIk1qIBggIP0bACJOaiAi/RsAIk9qIBggHSAh/a4BIiD9GwMiUGogICAL/T8gC/1O/aEBIiL9GwMiUWogGCAg/RsCIlJqICL9GwIiU2ogGCAg/RsBIlRqICL9GwEiVWogGCAg/RsAIlZqICL9GwAiV2ogGCAeICH9rgEiIP0bAyJYaiAgIAv9PyAL/U79oQEiIf0bAyJZaiAYICD9GwIiWmogIf0bAiJbaiAYICD9GwEiXGogIf0bASJdaiAYICD9GwAiXmogIf0bACJfav0HAAD9VAAAAf1UAAAC/VQAAAP9VAAABP1UAAAF/VQAAAb9VAAAB/1UAAAI/VQAAAn9VAAACv1UAAAL/VQAAAz9VAAADf1UAAAO/VQAAA/9UCAZIBdqIBVqIBkgFmogGmogGSAkaiAlaiAZICZqICdqIBkgKGogKWogGSAqaiAraiAZICxqIC1qIBkgLmogL2ogGSAwaiAxaiAZIDJqIDNqIBkgNGogNWogGSA2aiA3aiAZIDhqIDlqIBkgOmogO2ogGSA8aiA9aiAZID5qID9q/QcAAP1UAAAB/VQAAAL9VAAAA/1UAAAE/VQAAAX9VAAABv1UAAAH/VQAAAj9VAAACf1UAAAK/VQAAAv9VAAADP1UAAAN/VQAAA79VAAAD/1QIBD9AAAA/VAgGSBAaiBBaiAZIEJqIENqIBkgRGogRWogGSBGaiBHaiAZIEhqIElqIBkgSmogS2ogGSBMaiBNaiAZIE5qIE9qIBkgUGogUWogGSBSaiBTaiAZIFRqIFVqIBkgVmogV2ogGSBYaiBZaiAZIFpqIFtqIBkgXGogXWogGSBeaiBfav0HAAD9VAAAAf1UAAAC/VQAAAP9VAAABP1UAAAF/VQAAAb9VAAAB/1UAAAI/VQAAAn9VAAACv1UAAAL/VQAAAz9VAAADf1UAAAO/VQAAA/9UCAFIBdqIBVqIAUgFmogGmogBSAkaiAlaiAFICZqICdqIAUgKGogKWogBSAqaiAraiAFICxqIC1qIAUgLmogL2ogBSAwaiAxaiAFIDJqIDNqIAUgNGogNWogBSA2aiA3aiAFIDhqIDlqIAUgOmogO2ogBSA8aiA9aiAFID5qID9q/QcAAP1UAAAB/VQAAAL9VAAAA/1UAAAE/VQAAAX9VAAABv1UAAAH/VQAAAj9VAAACf1UAAAK/VQAAAv9VAAADP1UAAAN/VQAAA79VAAAD/1QIBP9AAAA/VAgBSBAaiBBaiAFIEJqIENqIAUgRGogRWogBSBGaiBHaiAFIEhqIElqIAUgSmogS2ogBSBMaiBNaiAFIE5qIE9qIAUgUGogUWogBSBSaiBTaiAFIFRqIFVqIAUgVmogV2ogBSBYaiBZaiAFIFpqIFtqIAUgXGogXWogBSBeaiBfav0HAAD9VAAAAf1UAAAC/VQAAAP9VAAABP1UAAAF/VQAAAb9VAAAB/1UAAAI/VQAAAn9VAAACv1UAAAL/VQAAAz9VAAADf1UAAAO/VQAAA/9UP0LAAAgHv0MEAAAABAAAAAQAAAAEAAAACIg/a4BIR4gD0EQaiEPIBBBEGohECATQRBqIRMgFEEQaiEUIB0gIP2uASEdIBwgIP2uASEcIBsgIP2uASEbIB9BcGoiHw0ACyAKIRkgAyAKRg0BCyAJIBlqIRUgDiEPIA0hEANAIA8gGWogGCAZaiITQQAgAyAZIBFqIhcbIhRqQX9qLQAAIBMtAAByIBNBACADIBdBAWogA0gbIhdrQQFqLQAAciAQIBlqIhMgFGpBf2otAAByIBMtAAByIBMgF2tBAWotAAByIAUgGWoiEyAUakF/ai0AAHIgEy0AAHIgEyAXa0EBai0AAHI6AAAgD0EBaiEPIBhBAWohGCAQQQFqIRAgBUEBaiEFIBUgEUEBaiIRag0ACwsgEiEPCyANIANqIQ0gDiADaiEOIA8gAkcNAAsLC4wCAQV/AkAgA0EBTg0AQQAPC0EAIQRBACEFAkACQCADQQFGDQAgA0EBcSEGIANB/v///wdxIQdBACEEQQAhBQNAAkAgAkUNACABIARqIgMgAy0AACACIARqLQAAcToAAAsgACAFQQJ0aiAENgIAIAUgASAEaiIDLQAAaiEFAkAgAkUNACADQQFqIgggCC0AACACIARqQQFqLQAAcToAAAsgACAFQQJ0aiAEQQFqNgIAIAUgA0EBai0AAGohBSAEQQJqIgQgB0cNAAsgBkUNAQsCQCACRQ0AIAEgBGoiAyADLQAAIAIgBGotAABxOgAACyAAIAVBAnRqIAQ2AgAgBSABIARqLQAAaiEFCyAFC6EWCQh/AXsIfwF7AX8Jew5/A3sBf0EAIRACQCAFQRBIDQAgCEECbSIRIBFBH3UiEnMgEmshEyABQQJ0IRQgBUECdCEVQQAgEWshFkEAIBEgCWxrIRcgCv0TIRggCEF/SCEZIAhBfkohGkEQIRFBACEQA0AgECEbIBEhEEEAIRwCQCAPQQJIDQBBAiERIAYgG0ECdCISaiEdIAcgEmohHiADIBJqIR9BACESA0AgESEcIB8gDiASQQJ0aiISKAIAIhEgBGxBAnRqISAgHv0AAgAhIQJAAkAgCw0AIB8gEigCBCISIARsQQJ0aiEiIB79AAIgIiMhJCAhISUgHv0AAhAiJiEnIB79AAIwIighKQwBCyAe/QACMCIqICD9AAIw/eQBISggHv0AAiAiKyAg/QACIP3kASEkIB79AAIQIicgIP0AAhD95AEhJiAhICD9AAIA/eQBISUgKiAfIBIoAgQiEiAEbEECdGoiIv0AAjD95AEhKSArICL9AAIg/eQBISMgJyAi/QACEP3kASEnICEgIv0AAgD95AEhIQsCQCAaRQ0AIBcgEWohLCAXIBJqIS0gEiASIA1tIi4gDWxrIS8gESARIA1tIjAgDWxrITEgFyEyIBYhMyAdITQDQCAsIA0gDEEAQQAgDCAwIDMgCWwiEWoiEiAMSBtrIBJBAEgbIDJqbGohNSAtIA0gDEEAQQAgDCAuIBFqIhEgDEgbayARQQBIGyAyamxqITYgFiE3A0ACQCACQQFIDQAgACAUIA1BAEEAIA0gMSA3IAlsIhFqIhIgDUgbayASQQBIGyA1amxqIRIgACAUIA1BAEEAIA0gLyARaiIRIA1IG2sgEUEASBsgNmpsaiE4IAIhOQNAIDQiESAVaiE0IDj9CQIAIiogEf0AAgAiOv3mASAh/eQBISEgEv0JAgAiKyA6/eYBICX95AEhJSAqIBFBMGr9AAIAIjr95gEgKf3kASEpICogEUEgav0AAgAiO/3mASAj/eQBISMgKiARQRBq/QACACI8/eYBICf95AEhJyArIDr95gEgKP3kASEoICsgO/3mASAk/eQBISQgKyA8/eYBICb95AEhJiASQQRqIRIgOEEEaiE4IDlBf2oiOQ0ACwsgNSAJaiE1IDYgCWohNiA3IBNGIREgN0EBaiE3IBFFDQALIDIgCWohMiAzIBNGIREgM0EBaiEzIBFFDQALCyAgICggGCAo/eYB/ekB/QsCMCAgICQgGCAk/eYB/ekB/QsCICAgICYgGCAm/eYB/ekB/QsCECAgICUgGCAl/eYB/ekB/QsCACAiICkgGCAp/eYB/ekB/QsCMCAiICMgGCAj/eYB/ekB/QsCICAiICcgGCAn/eYB/ekB/QsCECAiICEgGCAh/eYB/ekB/QsCACAcIRIgHEECaiIRIA9MDQALCwJAIBwgD04NACAGIBtBAnQiEWohLiAHIBFqISwgAyARaiEtA0AgLSAOIBxBAnRqKAIAIhEgBGxBAnRqITMgLP0AAgAhKwJAAkAgCw0AICz9AAIwISEgLP0AAiAhIyAs/QACECEkDAELICz9AAIwIDP9AAIw/eQBISEgLP0AAiAgM/0AAiD95AEhIyAs/QACECAz/QACEP3kASEkICsgM/0AAgD95AEhKwsCQCAZDQAgFyARaiExIBEgESANbSIyIA1sayE1IBchLyAWITYgLiE5A0AgMSANIAxBAEEAIAwgMiA2IAlsaiIRIAxIG2sgEUEASBsgL2psaiE3IBYhNANAAkAgAkEBSA0AIAAgFCANQQBBACANIDUgNCAJbGoiESANSBtrIBFBAEgbIDdqbGohEiACITgDQCA5IhEgFWohOSAS/QkCACIqIBH9AAIA/eYBICv95AEhKyAqIBFBMGr9AAIA/eYBICH95AEhISAqIBFBIGr9AAIA/eYBICP95AEhIyAqIBFBEGr9AAIA/eYBICT95AEhJCASQQRqIRIgOEF/aiI4DQALCyA3IAlqITcgNCATRiERIDRBAWohNCARRQ0ACyAvIAlqIS8gNiATRiERIDZBAWohNiARRQ0ACwsgMyAhIBggIf3mAf3pAf0LAjAgMyAjIBggI/3mAf3pAf0LAiAgMyAkIBggJP3mAf3pAf0LAhAgMyArIBggK/3mAf3pAf0LAgAgHEEBaiIcIA9HDQALCyAQQRBqIhEgBUwNAAsLAkAgECAFTg0AIAhBAm0iESARQR91IhJzIBJrIS8gBUEDdCE3IAFBAnQhMSAFQQJ0IRUgAkH+////B3EhNSACQQFxIRZBACARayEuQQAgESAJbGshHyAK/RMhIyAIQX9IIRsgCEF+SiEIA0BBACEeAkAgD0ECSA0AQQIhESAGIBBBAnQiEmohPSAHIBJqIR0gAyASaiEZQQAhEgNAIBEhHiAZIA4gEkECdGoiEigCACIRIARsQQJ0aiEXIB39AAIAISoCQAJAIAsNACAZIBIoAgQiEiAEbEECdGohGiAqISsMAQsgKiAZIBIoAgQiEiAEbEECdGoiGv0AAgD95AEhKyAqIBf9AAIA/eQBISoLAkAgCEUNACAfIBFqITAgHyASaiEgIBIgEiANbSIiIA1sayEyIBEgESANbSIcIA1sayEzIB8hLCAuIS0gPSE5A0AgMCANIAxBAEEAIAwgHCAtIAlsIhFqIhIgDEgbayASQQBIGyAsamxqIRMgICANIAxBAEEAIAwgIiARaiIRIAxIG2sgEUEASBsgLGpsaiEUIC4hNgNAAkAgAkEBSA0AIAAgMSANQQBBACANIDMgNiAJbCISaiIRIA1IG2sgEUEASBsgE2psaiERIAAgMSANQQBBACANIDIgEmoiEiANSBtrIBJBAEgbIBRqbGohEiACITgDQCA5IjQgFWohOSAS/QkCACA0/QACACIh/eYBICv95AEhKyAR/QkCACAh/eYBICr95AEhKiARQQRqIREgEkEEaiESIDhBf2oiOA0ACwsgEyAJaiETIBQgCWohFCA2IC9GIREgNkEBaiE2IBFFDQALICwgCWohLCAtIC9GIREgLUEBaiEtIBFFDQALCyAXICogIyAq/eYB/ekB/QsCACAaICsgIyAr/eYB/ekB/QsCACAeIRIgHkECaiIRIA9MDQALCwJAIB4gD04NACAGIBBBAnQiEWohFyAHIBFqISIgAyARaiEcA0AgHCAOIB5BAnRqKAIAIhEgBGxBAnRqISAgIv0AAgAhKgJAIAtFDQAgKiAg/QACAP3kASEqCwJAIBsNACAfIBFqIS0gESARIA1tIjAgDWxrIRQgHyEsIC4hMyAXIREDQCAMQQBBACAMIDAgMyAJbGoiEiAMSBtrIBJBAEgbIjggEmogDWwhMiAtIA0gOCAsamxqITQgLiESA0AgEiE5AkAgAkEBSA0AIA1BAEEAIA0gFCA5IAlsaiI2IA1IG2sgNkEASBshE0EAITgCQCACQQFGDQAgACAxIBMgNGpsaiESQQAhOANAIBJBBGr9CQIAIBEgFWr9AAIA/eYBIBL9CQIAIBH9AAIA/eYBICr95AH95AEhKiARIDdqIREgEkEIaiESIDUgOEECaiI4Rw0ACyAWRQ0BCyAAIBMgNmogMmogAWxBAnRqIDhBAnRq/QkCACAR/QACAP3mASAq/eQBISogESAVaiERCyA0IAlqITQgOUEBaiESIDkgL0cNAAsgLCAJaiEsIDMgL0YhEiAzQQFqITMgEkUNAAsLICAgKiAjICr95gH96QH9CwIAIB5BAWoiHiAPRw0ACwsgEEEEaiIQIAVIDQALCwuUAwcBewh/AXsCfwF7An8BewJAIAlBAUgNACAH/REgBv0cASEKQQAhCyAFQQFIIQwDQAJAIAwNACAIIAtBAnRqIQ1BACEOIAQhDwNAAkAgAUEBSA0AIAIgDiABbEECdGohEEEAIREDQCANKAIAIhIgEiAHbSIGIAdsa/0RIAb9HAH9DP/////////////////////9rgEhEyAAIBFBAnQiFGohFf0MAAAAAAAAAAAAAAAAAAAAACEWIA8hF0EAIQYDQCAX/QkCACAVIAogEyAGIAZB/wFxQQNuIhhBA2xr/Q8gGP0XAf2JAf2pAf2uASIZIAr9PyAK/U79oQEgGf0MAAAAAAAAAAAAAAAAAAAAAP05/VIgGf2uASIZ/RsAIBn9GwEgB2xqIAFsQQJ0av0AAgD95gEgFv3kASEWIBdBBGohFyAGQQFqIgZBCUcNAAsgECASIANsQQJ0aiAUaiAW/QsCACARQQRqIhEgAUgNAAsLIA9BJGohDyAOQQFqIg4gBUcNAAsLIAtBAWoiCyAJRw0ACwsL+QsHFX8BfQp/AXsCfwJ9AnsjgICAgABBgARrIg0kgICAgAAgCEECbSEOAkAgDEEBSA0AIAggCGwiD0EBIA9BAUsbIRAgAUECdCERIAVBAnQhEiAPQQFxIRMgACAFIARsQQJ0IhRqIRUgBUF/akECdiIWQQFqIhdB/v///wdxIRggF0EBcSEZIA0gD0ECdGohGkEAIRsDQAJAIARBAUgNACALIBtBAnRqIRxBACEdIBUhHiAAIR8DQCAdIAVsQQJ0ISAgHCgCACEhAkACQCAIDQBDyvJJ8SEiDAELIAAgISABbEECdGogIGohIyAVICBqISQgHyARICFsaiElIAcgHSAPbEECdGohJiAhICEgCm0iJyAKbGshKEPK8knxISJBACEpA0AgDUGAAmogKUECdCIqaiAkIApBAEEAIAogKCApICkgCG0iKyAIbGsgDmtqIhcgCkgbayAXQQBIGyAXaiAJQQBBACAJICcgKyAOa2oiFyAJSBtrIBdBAEgbIBdqIApsaiIXIAFsQQJ0aiIsNgIAAkACQCAFQQFODQD9DAAAAAAAAAAAAAAAAAAAAAAhLQwBCwJAAkAgFg0A/QwAAAAAAAAAAAAAAAAAAAAAIS1BACEuDAELIB4gESAXbGohF/0MAAAAAAAAAAAAAAAAAAAAACEtQQAhLiAlISsgGCEvA0AgK0EQav0AAgAgF0EQav0AAgD95gEgK/0AAgAgF/0AAgD95gEgLf3kAf3kASEtIBdBIGohFyArQSBqISsgLkEIaiEuIC9BfmoiLw0ACyAZRQ0BCyAjIC5BAnQiF2r9AAIAICwgF2r9AAIA/eYBIC395AEhLQsgLf0fAyAt/R8CIC39HwAgLf0fAZKSkiEwAkACQCAHDQBDAAAAACExDAELICYgKmoqAgAhMQsgDSAqaiAwIAaUIDGSIjA4AgAgMCAiIDAgIl4bISIgKUEBaiIpIBBHDQALCwJAIBNFDQAgGkHK5aeKfzYCBCAaQcrlp4p/NgIAIBpByuWnin82AggLAkACQCAIDQBDAAAAACEiDAELICL9EyEyQwAAAAAhIkEDIS4gDSEXA0AgFyAX/QAEACAy/eUB/QwAAK7CAACuwgAArsIAAK7C/ekB/QwAALBCAACwQgAAsEIAALBC/egBIi39DDuquD87qrg/O6q4PzuquD/95gH9aiIz/QyDgF45g4BeOYOAXjmDgF45/eYBIC0gM/0MAIAxvwCAMb8AgDG/AIAxv/3mAf3kAf3kASItIC0gLSAtIC0gLf0MZ2lQOWdpUDlnaVA5Z2lQOf3mAf0MzkO3Os5DtzrOQ7c6zkO3Ov3kAf3mAf0MCIkIPAiJCDwIiQg8CIkIPP3kAf3mAf0MwakqPcGpKj3BqSo9wakqPf3kAf3mAf0MqqoqPqqqKj6qqio+qqoqPv3kAf3mAf0MAAAAPwAAAD8AAAA/AAAAP/3kAf3mASAt/eYBIC395AH9DAAAgD8AAIA/AACAPwAAgD/95AEgM/34AUEX/asB/QwAAIA/AACAPwAAgD8AAIA//a4B/eYBIi39CwQAAkAgLiIrQX1qIA9PDQAgIiAt/R8AkiEiICtBfmogD08NACAiIC39HwGSISIgK0F/aiAPTw0AICIgLf0fApIhIiArIA9PDQAgIiAt/R8DkiEiCyAXQRBqIRcgK0EEaiEuICtBAWogD0kNAAsLAkAgBUEBSA0AIAIgISADbEECdGogIGohKSAi/RMhM0EAIS8DQAJAAkAgCA0A/QwAAAAAAAAAAAAAAAAAAAAAIS0MAQv9DAAAAAAAAAAAAAAAAAAAAAAhLSANIRcgDUGAAmohKyAQIS4DQCAX/QkCACArKAIAIBRqIC9BAnRq/QACAP3mASAt/eQBIS0gK0EEaiErIBdBBGohFyAuQX9qIi4NAAsLICkgL0ECdGogLSAz/ecB/QsCACAvQQRqIi8gBUgNAAsLIB4gEmohHiAfIBJqIR8gHUEBaiIdIARHDQALCyAbQQFqIhsgDEcNAAsLIA1BgARqJICAgIAAC7wEBgN/AXsBfQd/An0DewJAIAhBAUgNACABQQJ0IQkgAkEDcSEKIAJB/P///wdxIQsgBv0TIQwgArIhDUEAIQ4gAkEBSCEPIAJBBEkhEANAAkAgDw0AIAAgByAOQQJ0aigCACIRIAFsQQJ0aiESQwAAAAAhBkEAIRMCQAJAIBANACASIRQDQCAGIBQqAgCSIBRBBGoqAgCSIBRBCGoqAgCSIBRBDGoqAgCSIQYgFEEQaiEUIAsgE0EEaiITRw0ACyAKRQ0BCyAAIAkgEWwgE0ECdGpqIRQgCiETA0AgBiAUKgIAkiEGIBRBBGohFCATQX9qIhMNAAsLIAYgDZUhBkMAAAAAIRVBACETAkACQCAQDQAgEiEUA0AgFEEMaioCACAGkyIWIBaUIBRBCGoqAgAgBpMiFiAWlCAUQQRqKgIAIAaTIhYgFpQgFCoCACAGkyIWIBaUIBWSkpKSIRUgFEEQaiEUIAsgE0EEaiITRw0ACyAKRQ0BCyAAIAkgEWwgE0ECdGpqIRQgCiETA0AgFCoCACAGkyIWIBaUIBWSIRUgFEEEaiEUIBNBf2oiEw0ACwtDAACAPyAFIBUgDZWSkZX9EyEXIAb9EyEYQQAhESADIRQgBCETA0AgEiAXIBL9AAIAIBj95QH95gEgFP0AAgD95gEgE/0AAgD95AEiGSAMIBn95gH96QH9CwIAIBJBEGohEiAUQRBqIRQgE0EQaiETIBFBBGoiESACSA0ACwsgDkEBaiIOIAhHDQALCwu/BQIGfwV7AkAgBEEBSA0AIAFBAnQhBUEAIQYgAkEBSCEHA0ACQCAHDQAgAyAGQQJ0aiEIQQAhCSAAIQEDQCABIAUgCCgCAGxqIgogCv0AAgAiC/0MAAAAPwAAAD8AAAA/AAAAPyIM/eYB/QwAAIA/AACAPwAAgD8AAIA/Ig0gDSANIAv9DPMENT/zBDU/8wQ1P/MENT/95gEiDv3gAf0MBbqnPgW6pz4Fuqc+BbqnPv3mAf3kAf3nASIL/Qwi3Ic/ItyHPyLchz8i3Ic//eYB/QzjALq/4wC6v+MAur/jALq//eQBIAv95gH9DOPwtT/j8LU/4/C1P+PwtT/95AEgC/3mAf0MjqmRvo6pkb6OqZG+jqmRvv3kASAL/eYB/QwGeYI+BnmCPgZ5gj4GeYI+/eQBIAv95gEgDSAOIA794QH95gH9DAAArsIAAK7CAACuwgAArsL96QH9DAAAsEIAALBCAACwQgAAsEL96AEiC/0MO6q4PzuquD87qrg/O6q4P/3mAf1qIg/9DIOAXjmDgF45g4BeOYOAXjn95gEgCyAP/QwAgDG/AIAxvwCAMb8AgDG//eYB/eQB/eQBIgsgCyALIAsgCyAL/QxnaVA5Z2lQOWdpUDlnaVA5/eYB/QzOQ7c6zkO3Os5DtzrOQ7c6/eQB/eYB/QwIiQg8CIkIPAiJCDwIiQg8/eQB/eYB/QzBqSo9wakqPcGpKj3BqSo9/eQB/eYB/Qyqqio+qqoqPqqqKj6qqio+/eQB/eYBIAz95AH95gEgC/3mASAL/eQB/eQBIA/9+AFBF/2rAf0MAACAPwAAgD8AAIA/AACAP/2uAf3mAf3mAf3lASAO/Qz///9/////f////3////9//VIgDf3kAf3mAf0LAgAgAUEQaiEBIAlBBGoiCSACSA0ACwsgBkEBaiIGIARHDQALCwuWBwUOfwR9AX8BfQV7IAZBfm0hCwJAIApBAUgNACAGIAZsIgxBASAMQQFLGyENIAFBAnQhDiAFQQJ0IQ8gDEEDdCEQQQAhEQNAAkAgBkUNACAJIBFBAnRqIRJBACETIAQhFANAIAIgEigCACIMIANsQQJ0aiIVIBNBA3RqIhYqAgAgDCAIbSIXIAtqIBMgBm0iGGqykiIZjiIa/AAgB28gB2ogB28hBSAWKgIEIAwgFyAIbGsgC2ogEyAYIAZsa2qykiIbjiIc/AAgCG8gCGogCG8hFgJAIAFBAUgNACAAIAhBAEEAIAggFkEBaiIMIAhIG2sgFkF/SBsgDGoiFyAHQQBBACAHIAVBAWoiDCAHSBtrIAVBf0gbIAxqIAhsIhhqIAFsQQJ0aiEMIAAgFiAFIAhsIh1qIAFsQQJ0aiEFIAAgGCAWaiABbEECdGohFiAAIBcgHWogAWxBAnRqIRdDAAAAQCAVIBBqIBNBAnRqKgIAjEMAAK7Cl0MAALBCliIeQzuquD+U/RP9aiIf/fgBQRf9qwH9DAAAgD8AAIA/AACAPwAAgD/9rgH9HwAgH/0Mg4BeOYOAXjmDgF45g4BeOf3mASAe/RMgH/0MAIAxvwCAMb8AgDG/AIAxv/3mAf3kAf3kASIfIB8gHyAfIB8gH/0MZ2lQOWdpUDlnaVA5Z2lQOf3mAf0MzkO3Os5DtzrOQ7c6zkO3Ov3kAf3mAf0MCIkIPAiJCDwIiQg8CIkIPP3kAf3mAf0MwakqPcGpKj3BqSo9wakqPf3kAf3mAf0MqqoqPqqqKj6qqio+qqoqPv3kAf3mAf0MAAAAPwAAAD8AAAA/AAAAP/3kAf3mASAf/eYBIB/95AH9HwBDAACAP5KUQwAAgD+Slf0TIR8gGSAakyIZIBsgHJMiGpT9EyEgIBlDAACAPyAakyIblP0TISFDAACAPyAZkyIZIBqU/RMhIiAZIBuU/RMhI0EAIRUgFCEYA0AgGCAPIBIoAgBsaiAfICAgDP0AAgD95gEgISAW/QACAP3mASAiIBf9AAIA/eYBICMgBf0AAgD95gH9DAAAAAAAAAAAAAAAAAAAAAD95AH95AH95AH95AH95gH9CwIAIAVBEGohBSAYQRBqIRggF0EQaiEXIBZBEGohFiAMQRBqIQwgFUEEaiIVIAFIDQALCyAUIA5qIRQgE0EBaiITIA1HDQALCyARQQFqIhEgCkcNAAsLC5gBAQl/AkAgBUEBSA0AIAFBAnQhBiADQQJ0IQdBACEIIANBAUghCQNAAkAgCQ0AIAQgCEECdGohCkEAIQsgACEBIAIhDANAIAEgBiAKKAIAIg1saiIOIA79AAIAIAwgByANbGr9AAIA/eQB/QsCACABQRBqIQEgDEEQaiEMIAtBBGoiCyADSA0ACwsgCEEBaiIIIAVHDQALCwvSAQEFfwJAIAVBAUgNACABQQJ0IQYgAkH8////B3EhByACQQRJIQhBACEJA0ACQCAEIAlqLQAAIAMgCWotAABxDQAgAkEBSA0AQQAhAQJAIAgNACAAIQEgByEKA0AgAf0MAAAAAAAAAAAAAAAAAAAAAP0LAgAgAUEQaiEBIApBfGoiCg0ACyAHIQEgAiAHRg0BCyACIAFrIQogACABQQJ0aiEBA0AgAUEANgIAIAFBBGohASAKQX9qIgoNAAsLIAAgBmohACAJQQFqIgkgBUcNAAsLCw==";
const STYLE = ".nca-player{--nca-surface: #f6f7f8;--nca-raised: #ffffff;--nca-ink: #1b2127;--nca-muted: #55606c;--nca-line: #d3d9df;--nca-edge: #79838e;--nca-accent: #0069a6;--nca-on-accent: #ffffff;--nca-chosen: #e3f0f8;color-scheme: light;}html[data-theme=\"dark\"] .nca-player,html[theme=\"dark\"] .nca-player,[data-jp-theme-light=\"false\"] .nca-player{--nca-surface: #1b2026;--nca-raised: #272e36;--nca-ink: #e9edf1;--nca-muted: #a9b4bf;--nca-line: #3b444e;--nca-edge: #8a95a1;--nca-accent: #62b7ea;--nca-on-accent: #06202f;--nca-chosen: #17394d;color-scheme: dark;}@media (prefers-color-scheme: dark){html:not([data-theme]):not([theme]) body:not([data-jp-theme-light]) .nca-player{--nca-surface: #1b2026;--nca-raised: #272e36;--nca-ink: #e9edf1;--nca-muted: #a9b4bf;--nca-line: #3b444e;--nca-edge: #8a95a1;--nca-accent: #62b7ea;--nca-on-accent: #06202f;--nca-chosen: #17394d;color-scheme: dark;}}figure.nca-figure{margin: 1.5rem auto;max-width: 46rem;container-type: inline-size;}html[data-theme] .bd-content div.cell_output .text_html:has(figure.nca-figure){padding: 0;background: none;}.nca-player,.nca-player *{box-sizing: border-box;}.nca-player{position: relative;border: 1px solid var(--nca-line);border-radius: 14px;background: var(--nca-surface);color: var(--nca-ink);font-family: inherit;font-size: 0.875rem;line-height: 1.4;overflow: hidden;}.nca-player .nca-body{display: flex;flex-direction: column;}.nca-player .nca-bed{display: flex;align-items: center;justify-content: center;padding: 0.75rem 0.75rem 0;}.nca-player .nca-stage{position: relative;overflow: hidden;border: 1px solid var(--nca-line);border-radius: 8px;background: #ffffff;}.nca-player .nca-pane{width: min(100%,70vh);}.nca-player .nca-caption{margin-top: 0.25rem;font-size: 0.8125rem;text-align: center;}.nca-player canvas{display: block;width: 100%;height: auto;image-rendering: pixelated;touch-action: none;cursor: none;}.nca-player canvas:focus-visible{outline: 3px solid var(--nca-accent);outline-offset: -3px;border-radius: 7px;}.nca-player .nca-cursor{position: absolute;aspect-ratio: 1;translate: -50% -50%;border: 1.5px solid #ffffff;border-radius: 50%;outline: 1.5px solid #1b2127;pointer-events: none;}.nca-player .nca-cursor[hidden]{display: none;}.nca-player .nca-crosshair::before,.nca-player .nca-crosshair::after{content: \"\";position: absolute;inset: calc(50% - 1px) -6px;height: 2px;background: #1b2127;box-shadow: 0 0 0 1px #ffffff;}.nca-player .nca-crosshair::after{rotate: 90deg;}.nca-player .nca-panel{display: flex;flex-direction: column;gap: 0.9rem;min-width: 0;padding: 1rem;}.nca-player .nca-readout{display: flex;justify-content: space-between;align-items: baseline;color: var(--nca-muted);font-variant-numeric: tabular-nums;}.nca-player output{display: inline;padding: 0;color: var(--nca-ink);font-weight: 600;}.nca-player .nca-steps{font-size: 1.375rem;line-height: 1;}.nca-player .nca-transport{display: grid;grid-template-columns: 1.5fr 1fr 1fr;gap: 0.5rem;}.nca-player .nca-button{display: inline-flex;align-items: center;justify-content: center;gap: 0.35rem;min-height: 44px;margin: 0;padding: 0 0.6rem;border: 1px solid var(--nca-edge);border-radius: 10px;background: var(--nca-raised);color: var(--nca-ink);font: inherit;font-weight: 500;cursor: pointer;}.nca-player .nca-play{border-color: var(--nca-accent);background: var(--nca-accent);color: var(--nca-on-accent);}.nca-player .nca-button:hover{filter: brightness(0.95);}.nca-player .nca-button:active{transform: translateY(1px);}.nca-player .nca-button:focus-visible,.nca-player input[type=\"range\"]:focus-visible,.nca-player .nca-choice input:focus-visible + .nca-tile{outline: 3px solid var(--nca-accent);outline-offset: 2px;}.nca-player fieldset{min-width: 0;margin: 0;padding: 0;border: 0;}.nca-player legend,.nca-player .nca-brush label{float: none;width: auto;margin: 0 0 0.3rem;padding: 0;color: var(--nca-muted);font: inherit;}.nca-player .nca-choice{position: relative;display: flex;flex: 1 1 0;min-width: 0;margin: 0;cursor: pointer;}.nca-player .nca-tile{display: flex;flex: 1;flex-direction: column;align-items: center;justify-content: center;min-width: 0;min-height: 44px;font-variant-numeric: tabular-nums;}.nca-player .nca-classes .nca-row{display: grid;grid-template-columns: repeat(auto-fit,minmax(3.4rem,1fr));gap: 0.25rem;}.nca-player .nca-classes .nca-tile{justify-content: flex-start;gap: 0.15rem;padding: 0.4rem 2px;border: 1px solid var(--nca-line);border-radius: 10px;background: var(--nca-raised);}.nca-player .nca-label{font-family: \"Apple Color Emoji\",\"Segoe UI Emoji\",\"Noto Color Emoji\",sans-serif;font-size: 1.5rem;line-height: 1.2;}.nca-player .nca-name{max-width: 100%;color: var(--nca-muted);font-size: 0.65rem;line-height: 1.2;text-align: center;text-wrap: balance;font-weight: 400;overflow-wrap: break-word;hyphens: auto;}.nca-player .nca-speeds .nca-row{display: flex;border: 1px solid var(--nca-line);border-radius: 10px;background: var(--nca-raised);}.nca-player .nca-speeds .nca-tile{border-radius: 9px;}.nca-player .nca-choice input:checked + .nca-tile{background: var(--nca-chosen);box-shadow: inset 0 0 0 2px var(--nca-accent);font-weight: 600;}.nca-player .nca-choice input:checked + .nca-tile .nca-name{color: var(--nca-ink);}.nca-player .nca-brush{display: grid;grid-template-columns: auto 1fr auto;align-items: center;gap: 0.75rem;}.nca-player .nca-brush label{margin: 0;}.nca-player input[type=\"range\"]{width: 100%;min-width: 0;height: 44px;margin: 0;border-radius: 10px;accent-color: var(--nca-accent);cursor: pointer;}.nca-player .nca-value{min-width: 3.6rem;text-align: right;font-variant-numeric: tabular-nums;}.nca-player .nca-hint{margin: 0;color: var(--nca-muted);font-size: 0.8125rem;}.nca-player .nca-hidden{position: absolute;width: 1px;height: 1px;margin: -1px;overflow: hidden;clip-path: inset(50%);white-space: nowrap;}figure.nca-figure > figcaption{margin-top: 0.5rem;}.nca-player.nca-several .nca-bed{display: grid;grid-template-columns: repeat(auto-fit,minmax(8.5rem,1fr));gap: 0.75rem;padding: 0.75rem 0.75rem 0;}@container (min-width: 38rem){.nca-player:not(.nca-several) .nca-body{flex-direction: row;}.nca-several .nca-panel{display: grid;grid-template-columns: 1fr 1fr;column-gap: 1.5rem;align-items: end;}.nca-several .nca-hint{grid-column: 1 / -1;}.nca-player:not(.nca-several) .nca-bed{flex: 1 1 53%;padding: 1rem 0 1rem 1rem;}.nca-player:not(.nca-several) .nca-panel{flex: 1 1 47%;justify-content: center;}}";
const VERSION = 2;
const LANES = 4;  // buffers are whole vectors of numbers, and so are their parts
const MOST_NEIGHBOURS = 49;  // of attention: a kernel of 7×7
function checkDescription(description, weights) {
  if (description?.format !== "nca-live") {
    throw new Error(`live figure: not a description of an automaton (format ${
      JSON.stringify(description?.format)}, expected "nca-live")`);
  }
  if (description.version !== VERSION) {
    throw new Error(`live figure: description version ${description.version}; ` +
      `this engine reads version ${VERSION}, export the automaton again`);
  }
  checkNumbers(description);
  checkOps(description);
  if (weights.byteLength !== description.weights_bytes) {
    throw new Error(`live figure: ${weights.byteLength} bytes of weights, ` +
      `the description expects ${description.weights_bytes}`);
  }
}
function checkNumbers(d) {
  for (const name of ["height", "width", "channels", "weights_bytes"]) {
    expect(isCount(d[name]), name, d[name], "a whole number ≥ 1");
  }
  expect(isNatural(d.fixed) && d.fixed < d.channels,
    "fixed", d.fixed, "a whole number ≥ 0, less than channels");
  expect(Number.isInteger(d.alpha) && d.alpha >= d.fixed + 3 && d.alpha < d.channels,
    "alpha", d.alpha, "the index of the channel after red, green and blue");
  expect(d.fire_rate > 0 && d.fire_rate <= 1, "fire_rate", d.fire_rate, "a probability in (0, 1]");
  expect(d.living_threshold === null || Number.isFinite(d.living_threshold),
    "living_threshold", d.living_threshold, "a number or null");
  expect(Number.isInteger(d.seed), "seed", d.seed, "a whole number");
  expect(Array.isArray(d.classes), "classes", d.classes, "a list");
  expect(d.planes === 0 || d.planes === d.classes.length,
    "planes", d.planes, `0 or ${d.classes.length}, the number of classes`);
  const last = Math.max(0, d.classes.length - 1);
  expect(Number.isInteger(d.class_index) && d.class_index >= 0 && d.class_index <= last,
    "class_index", d.class_index, `a whole number from 0 to ${last}`);
}
const bufferSizes = (d) => [padded(d.channels + d.planes), ...d.buffers];
const padded = (count) => (count + LANES - 1) & -LANES;
function checkOps(d) {
  expect(Array.isArray(d.buffers) && d.buffers.every((size) => isCount(size) && size % LANES === 0),
    "buffers", d.buffers, "a list of sizes, each a multiple of 4");
  expect(Array.isArray(d.ops) && d.ops.length > 0, "ops", d.ops, "a list of operations");
  const sizes = bufferSizes(d);
  d.ops.forEach((op, i) => {
    const must = (name, fits, expected) => expect(fits(op[name]), `ops[${i}].${name}`, op[name], expected);
    const check = CHECKS[op.kind];
    must("kind", () => Object.hasOwn(CHECKS, op.kind), `one of ${Object.keys(CHECKS).join(", ")}`);
    const is = {
      must,
      buffer: (name) => must(name, (v) => isNatural(v) && v < sizes.length,
        `a whole number less than ${sizes.length}`),
      part: (name, buffer, count, offset = 0) => must(name,
        (v) => isNatural(v) && offset % LANES === 0 && offset + padded(count ?? v) <= sizes[op[buffer]],
        `something that fits the ${sizes[op[buffer]]} numbers of buffer ${op[buffer]}`),
      count: (...names) => names.forEach((name) => must(name, isCount, "a whole number ≥ 1")),
      odd: (name) => must(name, (v) => isCount(v) && v % 2 === 1, "an odd number"),
      slope: () => must("slope", (v) => v >= 0 && v <= 1, "a slope in [0, 1]"),
      reach: (cells) => expect(Math.min(d.height, d.width) >= cells, "height, width",
        [d.height, d.width], `at least ${cells}, the reach of operation ${i}`),
      near: () => {
        must("near", isNatural, "a whole number ≥ 0");
        is.reach(op.near);
      },
      half: (name, count) => must(name, (v) => fits(v, 2, 2 * count, d),
        "an even offset within the weights"),
      float: (name, count) => must(name, (v) => fits(v, 4, 4 * count, d),
        "an offset, a multiple of 4, within the weights"),
      size: (name) => sizes[op[name]],
    };
    is.near();
    check(op, is, d);
  });
  expect(d.ops.at(-1).kind === "conv" && sizes[d.ops.at(-1).to] === padded(d.channels), "ops",
    d.ops.at(-1).kind, `a conv at the end, into a buffer of ${padded(d.channels)}: the change`);
}
const CHECKS = {
  conv(op, is, d) {
    ["from", "to"].forEach(is.buffer);
    is.count("in", "out", "dilation", "bias_rows");
    is.odd("kernel");
    is.part("in", "from");
    is.part("offset", "to", op.out, op.offset);
    is.slope();
    is.must("add", (v) => typeof v === "boolean", "true or false");
    is.reach((op.kernel >> 1) * op.dilation);
    is.must("bias_rows", (v) => v === 1 || v === d.classes.length,
      `1 or ${d.classes.length}, the number of classes`);
    is.half("weight", op.kernel ** 2 * op.in * op.out);
    is.float("bias", op.bias_rows * op.out);
  },
  bank(op, is) {
    ["from", "to"].forEach(is.buffer);
    is.count("filters");
    is.part("offset", "to", op.filters * is.size("from"), op.offset);
    is.reach(1);
    is.float("weight", 9 * op.filters);
  },
  attend(op, is) {
    ["from", "to"].forEach(is.buffer);
    is.count("heads", "size");
    is.must("size", (v) => v % LANES === 0, "a multiple of 4");
    is.odd("kernel");
    is.must("kernel", (v) => v * v <= MOST_NEIGHBOURS, "at most 7");
    is.reach(op.kernel >> 1);
    is.part("heads", "from", 3 * op.heads * op.size);
    is.part("heads", "to", op.heads * op.size);
    is.must("scale", Number.isFinite, "a number");
    if (op.position !== null) is.float("position", op.heads * op.kernel ** 2);
  },
  norm(op, is) {
    is.buffer("to");
    is.part("channels", "to");
    is.must("eps", (v) => v > 0, "a number > 0");
    is.slope();
    is.float("weight", op.channels);
    is.float("bias", op.channels);
  },
  gelu(op, is) {
    is.buffer("to");
    is.part("channels", "to");
  },
  gather(op, is) {
    ["from", "where", "to"].forEach(is.buffer);
    is.odd("kernel");
    is.reach(op.kernel >> 1);
    is.part("kernel", "where", 3 * op.kernel ** 2);
    is.part("kernel", "to", op.kernel ** 2 * is.size("from"));
  },
};
const isCount = (value) => Number.isInteger(value) && value >= 1;
const isNatural = (value) => Number.isInteger(value) && value >= 0;
const fits = (offset, align, length, d) =>
  Number.isInteger(offset) && offset >= 0 && offset % align === 0 &&
  offset + length <= d.weights_bytes;
function expect(condition, name, given, expected) {
  if (!condition) {
    throw new Error(`live figure: ${name} is ${JSON.stringify(given)}; expected ${expected}`);
  }
}
function decodeHalf(bytes, offset, count) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 2 * count);
  return Float32Array.from({ length: count }, (_, i) => halfToNumber(view.getUint16(2 * i, true)));
}
function decodeFloat(bytes, offset, count) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 4 * count);
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}
function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;  // zero and the subnormal numbers
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);  // infinities are not exported
}
function decodeBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
const PAGE_BYTES = 65536;
const ALIGNMENT = 16;
let compiled = null;  // one module for all figures of a page; each has a memory of its own
function kernels() {
  compiled ??= WebAssembly.compile(decodeBase64(KERNELS)).catch((error) => {
    throw new Error(`live figure: this browser has no WebAssembly with SIMD (${error.message})`);
  });
  return compiled;
}
class Engine {
  static async create(description, weights) {
    checkDescription(description, weights);
    const { exports } = await WebAssembly.instantiate(await kernels(), {});
    return new Engine(description, weights, exports);
  }
  constructor(description, weights, exports) {
    const { height, width, channels } = description;
    Object.assign(this, { height, width, channels, description });
    this.skip = true;
    this.classIndex = description.class_index;
    this.kernels = exports;
    this.memory = exports.memory;
    this.free = exports.__heap_base.value;
    const cells = height * width;
    this.cellCount = cells;
    this.strides = bufferSizes(description);
    this.buffers = this.strides.map((stride) => this.allocate(4 * cells * stride));
    [this.stride] = this.strides;
    [this.cellsAt] = this.buffers;
    for (const mask of ["fireAt", "beforeAt", "afterAt", "wideAt", "widerAt"]) {
      this[mask] = this.allocate(cells);
    }
    this.all = { at: this.allocate(4 * cells), count: cells };
    new Int32Array(this.memory.buffer, this.all.at, cells).forEach((_, i, all) => { all[i] = i; });
    this.lists = new Map([0, ...description.ops.map((op) => op.near)].map((near) =>
      [near, { at: this.allocate(4 * cells), count: 0 }]));
    this.ops = description.ops.map((op) => ({ near: op.near, run: this[op.kind](op, weights) }));
    this.changeAt = this.buffers[description.ops.at(-1).to];
    this.fireLimit = Math.floor(description.fire_rate * 2 ** 24);
    this.reset();
  }
  allocate(bytes) {
    const start = (this.free + ALIGNMENT - 1) & -ALIGNMENT;
    this.free = start + bytes;
    const missing = this.free - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    return start;
  }
  floats(start, count) {
    return new Float32Array(this.memory.buffer, start, count);
  }
  place(values, rows) {
    const length = values.length / rows;
    const start = this.allocate(4 * rows * padded(length));
    const target = this.floats(start, rows * padded(length));
    for (let row = 0; row < rows; row++) {
      target.set(values.subarray(row * length, (row + 1) * length), row * padded(length));
    }
    return start;
  }
  conv(op, bytes) {
    const [from, to] = [this.buffers[op.from], this.buffers[op.to] + 4 * op.offset];
    const [fromStride, toStride] = [this.strides[op.from], this.strides[op.to]];
    const { height, width } = this;
    const [out, rows] = [padded(op.out), op.kernel ** 2 * op.in];
    const weight = this.place(decodeHalf(bytes, op.weight, rows * op.out), rows);
    const bias = this.place(decodeFloat(bytes, op.bias, op.bias_rows * op.out), op.bias_rows);
    const biasStep = op.bias_rows > 1 ? 4 * out : 0;
    return ({ at, count }) => this.kernels.conv(
      from, fromStride, op.in, to, toStride, out, weight, bias + this.classIndex * biasStep,
      op.kernel, op.dilation, op.slope, op.add, height, width, at, count,
    );
  }
  bank(op, bytes) {
    const [from, to] = [this.buffers[op.from], this.buffers[op.to] + 4 * op.offset];
    const [fromStride, toStride] = [this.strides[op.from], this.strides[op.to]];
    const { height, width } = this;
    const filters = this.place(decodeFloat(bytes, op.weight, 9 * op.filters), 1);
    return ({ at, count }) => this.kernels.bank(
      from, fromStride, to, toStride, filters, op.filters, height, width, at, count,
    );
  }
  attend(op, bytes) {
    const [from, to] = [this.buffers[op.from], this.buffers[op.to]];
    const [fromStride, toStride] = [this.strides[op.from], this.strides[op.to]];
    const { height, width } = this;
    const neighbours = op.kernel ** 2;
    const position = op.position === null
      ? 0 : this.place(decodeFloat(bytes, op.position, op.heads * neighbours), 1);
    return ({ at, count }) => this.kernels.attend(
      from, fromStride, to, toStride, op.heads, op.size, op.scale, position, op.kernel,
      height, width, at, count,
    );
  }
  norm(op, bytes) {
    const [to, stride] = [this.buffers[op.to], this.strides[op.to]];
    const weight = this.place(decodeFloat(bytes, op.weight, op.channels), 1);
    const bias = this.place(decodeFloat(bytes, op.bias, op.channels), 1);
    return ({ at, count }) =>
      this.kernels.norm(to, stride, op.channels, weight, bias, op.eps, op.slope, at, count);
  }
  gelu(op) {
    const [to, stride] = [this.buffers[op.to], this.strides[op.to]];
    return ({ at, count }) => this.kernels.gelu(to, stride, op.channels, at, count);
  }
  gather(op) {
    const [from, where, to] = [op.from, op.where, op.to].map((i) => this.buffers[i]);
    const [fromStride, whereStride, toStride] =
      [op.from, op.where, op.to].map((i) => this.strides[i]);
    const { height, width } = this;
    return ({ at, count }) => this.kernels.gather(
      from, fromStride, where, whereStride, to, toStride, op.kernel, height, width, at, count,
    );
  }
  get cells() {
    return this.floats(this.cellsAt, this.cellCount * this.stride);
  }
  get state() {
    const { cells, cellCount, channels, stride } = this;
    const copy = new Float32Array(cellCount * channels);
    for (let i = 0; i < cellCount; i++) {
      copy.set(cells.subarray(i * stride, i * stride + channels), i * channels);
    }
    return copy;
  }
  reset() {
    this.cells.fill(0);
    this.stepCount = 0;
    this.fillPlanes();
    this.plant(this.width >> 1, this.height >> 1);
  }
  step() {
    const k = this.kernels;
    const { height, width, stride, cellCount, description } = this;
    const { alpha, living_threshold: threshold, seed, channels } = description;
    const masked = threshold !== null;
    k.fire_mask(this.fireAt, height, width, this.stepCount, seed, this.fireLimit);
    if (masked) {
      k.living_mask(this.beforeAt, this.cellsAt, stride, alpha, threshold, height, width);
      k.dilate_mask(this.wideAt, this.beforeAt, height, width);
    }
    this.listCells(masked && this.skip ? this.wideAt : 0);
    for (const { near, run } of this.ops) run(this.skip ? this.lists.get(near) : this.all);
    const { at, count } = this.lists.get(0);
    k.add_change(this.cellsAt, stride, this.changeAt, padded(channels), at, count);
    if (masked) {
      k.living_mask(this.afterAt, this.cellsAt, stride, alpha, threshold, height, width);
      k.zero_dead(this.cellsAt, stride, channels, this.beforeAt, this.afterAt, cellCount);
    }
    this.stepCount += 1;
  }
  listCells(relevantAt) {
    const k = this.kernels;
    const { height, width, cellCount } = this;
    const changing = this.lists.get(0);
    changing.count = k.list_cells(changing.at, this.fireAt, relevantAt, cellCount);
    for (const [near, list] of this.lists) {
      if (near === 0 || !this.skip) continue;
      let mask = this.fireAt;
      for (let i = 0; i < near; i++) {
        const wider = mask === this.wideAt ? this.widerAt : this.wideAt;
        k.dilate_mask(wider, mask, height, width);
        mask = wider;
      }
      list.count = k.list_cells(list.at, mask, 0, cellCount);
    }
  }
  setClass(index) {
    const classes = this.description.classes.length;
    if (!Number.isInteger(index) || index < 0 || index >= classes) {
      throw new RangeError(`live figure: class ${index}; this automaton has ${classes}`);
    }
    this.classIndex = index;
    this.fillPlanes();
  }
  fillPlanes() {
    const { planes, channels } = this.description;
    const { cells, cellCount, stride } = this;
    for (let i = 0; i < cellCount; i++) {
      for (let k = 0; k < planes; k++) {
        cells[i * stride + channels + k] = k === this.classIndex ? 1 : 0;
      }
    }
  }
  erase(x, y, radius) {
    const { cells, height, width, stride } = this;
    const { fixed, channels } = this.description;
    const distance = (a, b, n) => Math.min(Math.abs(a - b), n - Math.abs(a - b));
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const dx = distance(column, x, width);
        const dy = distance(row, y, height);
        if (dx * dx + dy * dy > radius * radius) continue;
        const at = (row * width + column) * stride;
        cells.fill(0, at + fixed, at + channels);
      }
    }
  }
  plant(x, y) {
    const wrap = (i, n) => ((i % n) + n) % n;
    const at = (wrap(y, this.height) * this.width + wrap(x, this.width)) * this.stride;
    const { alpha, fixed, channels } = this.description;
    this.cells.fill(0, at + fixed, at + channels);
    this.cells.fill(1, at + alpha - 3, at + alpha + 1);
  }
  paint(pixels) {
    const { cells, cellCount, stride } = this;
    const { alpha } = this.description;
    for (let i = 0; i < cellCount; i++) {
      const a = i * stride + alpha;
      const white = 1 - Math.min(1, Math.max(0, cells[a]));
      pixels[4 * i] = 255 * (cells[a - 3] + white);
      pixels[4 * i + 1] = 255 * (cells[a - 2] + white);
      pixels[4 * i + 2] = 255 * (cells[a - 1] + white);
      pixels[4 * i + 3] = 255;
    }
  }
}
const icon = (path) =>
  `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">${path}</svg>`;
const ICONS = {
  play: icon('<path fill="currentColor" d="M8 5.2v13.6a.8.8 0 0 0 1.2.7l11-6.8a.8.8 0 0 0 0-1.4l-11-6.8A.8.8 0 0 0 8 5.2z"/>'),
  pause: icon('<path fill="currentColor" d="M7 5h3.5v14H7zM13.5 5H17v14h-3.5z"/>'),
  step: icon('<path fill="currentColor" d="M6 5.6v12.8a.7.7 0 0 0 1.1.6l8.9-6.4a.7.7 0 0 0 0-1.2L7.1 5a.7.7 0 0 0-1.1.6zM17 5h2v14h-2z"/>'),
  reset: icon('<path fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" d="M4.5 5v5h5M5 10a7.5 7.5 0 1 1-.4 4.5"/>'),
};
const SPEEDS = [
  { label: "¼×", name: "quarter speed", stepsPerSecond: 7.5 },
  { label: "1×", name: "normal speed", stepsPerSecond: 30 },
  { label: "4×", name: "four times normal speed", stepsPerSecond: 120 },
  { label: "max", name: "as fast as this device can", stepsPerSecond: Infinity },
];
const NORMAL_SPEED = 1;
const BRUSH = { min: 1, max: 10, start: 4 };  // radius in cells
let figures = 0;  // makes names and ids unique on the page
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
function makeButton(name, icon, label) {
  const button = make("button", { type: "button", class: `nca-button nca-${name}` });
  setButton(button, icon, label);
  return button;
}
function setButton(button, icon, label) {
  button.innerHTML = ICONS[icon];
  button.append(make("span", {}, label));
}
function makeRadios(kind, legend, options, id) {
  const inputs = options.map(({ name, checked }, value) => {
    const input = make("input", {
      type: "radio", class: "nca-hidden", name: `${id}-${kind}`, value, "aria-label": name,
    });
    input.checked = checked;
    return input;
  });
  const choices = options.map(({ content }, i) =>
    make("label", { class: "nca-choice" }, inputs[i], make("span", { class: "nca-tile" }, ...content)));
  const row = make("div", { class: "nca-row" }, ...choices);
  return { inputs, group: make("fieldset", { class: `nca-${kind}` }, make("legend", {}, legend), row) };
}
function classOptions(description) {
  return description.classes.map(({ label, name }, i) => ({
    checked: i === description.class_index,
    content: label === name
      ? [make("span", { class: "nca-name" }, name)]
      : [make("span", { class: "nca-label", "aria-hidden": "true" }, label),
        make("span", { class: "nca-name" }, name)],
  }));
}
function makeBrushSlider(id) {
  const slider = make("input", {
    type: "range", id: `${id}-brush`, min: BRUSH.min, max: BRUSH.max, value: BRUSH.start,
  });
  const value = make("span", { class: "nca-value", "aria-hidden": "true" });
  const update = () => {
    value.textContent = `${slider.value} cells`;
    slider.setAttribute("aria-valuetext", `radius ${slider.value} cells`);
  };
  slider.addEventListener("input", update);
  update();
  const label = make("label", { for: slider.id }, "Eraser");
  return { slider, group: make("div", { class: "nca-brush" }, label, slider, value) };
}
function makePane(description, id, caption) {
  const { height, width, alt } = description;
  const canvas = make("canvas", {
    width, height, tabindex: 0, role: "img",
    "aria-label": caption === undefined ? alt : `${caption}. ${alt}`,
    "aria-describedby": `${id}-hint`,
  });
  canvas.style.aspectRatio = `${width} / ${height}`;
  const cursor = make("div", { class: "nca-cursor", "aria-hidden": "true", hidden: "" });
  const stage = make("div", {
    class: "nca-stage", role: "application", "aria-label": caption ?? "Grid",
  }, canvas, cursor);
  const words = caption === undefined
    ? [] : [make("div", { class: "nca-caption", "aria-hidden": "true" }, caption)];
  return { canvas, cursor, pane: make("div", { class: "nca-pane" }, stage, ...words) };
}
function makeReadout() {
  const steps = make("output", { class: "nca-steps", "aria-live": "off" }, "0");
  const rate = make("output", { class: "nca-rate", "aria-live": "off" }, "0");
  const readout = make("div", { class: "nca-readout" },
    make("span", {}, "step ", steps), make("span", {}, rate, " steps/s"));
  return { steps, rate, readout };
}
function addStyle(element) {
  const root = element.getRootNode();
  const place = root instanceof ShadowRoot ? root : document.head;
  if (place.querySelector("style[data-nca-live]")) return;
  place.append(make("style", { "data-nca-live": "" }, STYLE));
}
function buildView(element, descriptions) {
  addStyle(element);
  const id = `nca-${++figures}`;
  const [description] = descriptions;
  const several = descriptions.length > 1;
  const panes = descriptions.map((d) => makePane(d, id, several ? d.title : undefined));
  const bed = make("div", { class: "nca-bed" }, ...panes.map(({ pane }) => pane));
  const { steps, rate, readout } = makeReadout();
  const play = makeButton("play", "play", "Play");
  const step = makeButton("step", "step", "Step");
  const reset = makeButton("reset", "reset", "Reset");
  const classes = description.classes.length > 1
    ? makeRadios("classes", "Grow into", classOptions(description), id) : { inputs: [] };
  const speeds = makeRadios("speeds", "Speed", SPEEDS.map(({ label, name }, i) =>
    ({ name: `${label}, ${name}`, checked: i === NORMAL_SPEED, content: [label] })), id);
  const { slider, group: brush } = makeBrushSlider(id);
  const hint = make("p", { class: "nca-hint", id: `${id}-hint` },
    "Drag to erase, double-tap to plant a seed. With the grid focused: arrow keys move, " +
    "E erases, S plants a seed.");
  const status = make("p", { class: "nca-hidden", role: "status" });
  const panel = make("div", { class: "nca-panel" }, readout,
    make("div", { class: "nca-transport" }, play, step, reset),
    ...(classes.group ? [classes.group] : []), speeds.group, brush, hint);
  const root = make("div", {
    class: several ? "nca-player nca-several" : "nca-player", role: "group", "aria-label": several ? "Live automata, side by side" : `Live automaton: ${description.title}`,
    "data-lm-suppress-shortcuts": "true",
  }, make("div", { class: "nca-body" }, bed, panel), status);
  element.prepend(root);
  return {
    root, bed, steps, rate,
    canvases: panes.map(({ canvas }) => canvas), cursors: panes.map(({ cursor }) => cursor),
    play, step, reset, slider, status,
    classes: classes.inputs, speeds: speeds.inputs,
  };
}
const DOUBLE_TAP = { milliseconds: 350, pixels: 24 };
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LEAP = 5;  // cells that an arrow key moves with Shift
function connectBrush({ canvases, cursors, slider }, act) {
  const [{ width, height }] = canvases;
  const radius = () => Number(slider.value);
  const keyboard = { x: width >> 1, y: height >> 1 };
  const off = new AbortController();
  const listen = (target, type, action) =>
    target.addEventListener(type, action, { signal: off.signal });
  const cellAt = (event) => {
    const box = event.target.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) / box.width * width - 0.5,
      y: (event.clientY - box.top) / box.height * height - 0.5,
    };
  };
  const nearest = ({ x, y }) => ({
    x: Math.min(width - 1, Math.max(0, Math.round(x))),
    y: Math.min(height - 1, Math.max(0, Math.round(y))),
  });
  const showCursor = ({ x, y }, crosshair) => {
    for (const cursor of cursors) {
      cursor.hidden = false;
      cursor.classList.toggle("nca-crosshair", crosshair);
      cursor.style.left = `${(x + 0.5) / width * 100}%`;
      cursor.style.top = `${(y + 0.5) / height * 100}%`;
      cursor.style.width = `${(2 * radius() + 1) / width * 100}%`;
    }
  };
  const hideCursor = () => cursors.forEach((cursor) => { cursor.hidden = true; });
  const eraseLine = (from, to) => {
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const pieces = Math.max(1, Math.ceil(length / radius()));
    for (let i = 1; i <= pieces; i++) {
      const t = i / pieces;
      act.erase(from.x + t * (to.x - from.x), from.y + t * (to.y - from.y), radius());
    }
  };
  const isDoubleTap = (event, before) => before !== null &&
    event.timeStamp - before.timeStamp < DOUBLE_TAP.milliseconds &&
    Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) < DOUBLE_TAP.pixels;
  let last = null;  // where a drag was last seen
  let tap = null;  // the last press, for double taps
  for (const canvas of canvases) {
    listen(canvas, "pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      const here = cellAt(event);
      if (isDoubleTap(event, tap)) {
        const { x, y } = nearest(here);
        act.plant(x, y);
        tap = null;
        return;
      }
      tap = event;
      last = here;
      act.erase(here.x, here.y, radius());
      showCursor(here, false);
    });
    listen(canvas, "pointermove", (event) => {
      const here = cellAt(event);
      showCursor(here, false);
      if (last === null) return;
      eraseLine(last, here);
      last = here;
    });
    const release = () => {
      if (last !== null) act.say("Erased cells");
      last = null;
    };
    listen(canvas, "pointerup", release);
    listen(canvas, "pointercancel", release);
    listen(canvas, "pointerleave", () => { if (last === null) hideCursor(); });
    listen(canvas, "focus", () => {
      if (canvas.matches(":focus-visible")) showCursor(keyboard, true);
    });
    listen(canvas, "blur", hideCursor);
    listen(canvas, "keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const where = `column ${keyboard.x + 1}, row ${keyboard.y + 1}`;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (key in MOVES) {
        const leap = event.shiftKey ? LEAP : 1;
        keyboard.x = (keyboard.x + leap * MOVES[key][0] + width) % width;
        keyboard.y = (keyboard.y + leap * MOVES[key][1] + height) % height;
      } else if (key === "e" || key === " ") {
        act.erase(keyboard.x, keyboard.y, radius());
        act.say(`Erased around ${where}`);
      } else if (key === "s") {
        act.plant(keyboard.x, keyboard.y);
      } else {
        return;
      }
      event.preventDefault();  // the page must not scroll
      showCursor(keyboard, true);
    });
  }
  return () => off.abort();
}
const FRAME_BUDGET = 10;  // milliseconds of a frame's 16 that steps may take; the page needs some
const RATE_WINDOW = 500;  // milliseconds over which steps per second are averaged
const MOST_VISIBLE = 0.3;  // share of the canvas that has to be in view to run
class Player {
  constructor(element, engines, report) {
    this.engines = engines;
    [this.engine] = engines;
    this.report = report;
    this.view = buildView(element, engines.map(({ description }) => description));
    this.panes = engines.map((engine, i) => {
      const context = this.view.canvases[i].getContext("2d");
      return { engine, context, image: context.createImageData(engine.width, engine.height) };
    });
    this.playing = false;
    this.inView = false;
    this.stepsPerSecond = SPEEDS[NORMAL_SPEED].stepsPerSecond;
    this.frame = 0;
    this.connect();
    this.draw();
  }
  connect() {
    const { view, engines } = this;
    view.play.addEventListener("click", () => this.setPlaying(!this.playing, true));
    view.step.addEventListener("click", () => this.stepOnce());
    view.reset.addEventListener("click", () => this.reset());
    view.classes.forEach((input, index) =>
      input.addEventListener("change", () => this.setClass(index)));
    view.speeds.forEach((input, index) =>
      input.addEventListener("change", () => {
        this.stepsPerSecond = SPEEDS[index].stepsPerSecond;
      }));
    this.disconnectBrush = connectBrush(view, {
      erase: (x, y, radius) => {
        engines.forEach((engine) => engine.erase(x, y, radius));
        this.draw();
      },
      plant: (x, y) => {
        engines.forEach((engine) => engine.plant(x, y));
        this.draw();
        this.say(`Seed planted at column ${x + 1}, row ${y + 1}`);
      },
      say: (text) => this.say(text),
    });
    this.observer = new IntersectionObserver((entries) => {
      this.inView = entries[entries.length - 1].isIntersecting;
      this.schedule();
    }, { threshold: MOST_VISIBLE });
    this.observer.observe(view.bed);
  }
  say(text) {
    this.view.status.textContent = text;
  }
  setPlaying(playing, aloud) {
    this.playing = playing;
    setButton(this.view.play, playing ? "pause" : "play", playing ? "Pause" : "Play");
    if (aloud) this.say(playing ? "Playing" : `Paused at step ${this.engine.stepCount}`);
    this.report({ steps: this.engine.stepCount });
    this.schedule();
  }
  stepOnce() {
    if (this.playing) this.setPlaying(false, false);
    this.stepAll();
    this.draw();
    this.say(`Step ${this.engine.stepCount}`);
    this.report({ steps: this.engine.stepCount });
  }
  stepAll() {
    this.engines.forEach((engine) => engine.step());
  }
  reset() {
    this.engines.forEach((engine) => engine.reset());
    this.draw();
    this.say("Reset to a single seed cell");
    this.report({ steps: 0 });
  }
  setClass(index) {
    this.engines.forEach((engine) => engine.setClass(index));
    this.view.classes[index].checked = true;
    this.say(`Now growing into ${this.engine.description.classes[index].name}`);
    this.report({ classIndex: index });
  }
  draw() {
    for (const { engine, context, image } of this.panes) {
      engine.paint(image.data);
      context.putImageData(image, 0, 0);
    }
    this.view.steps.textContent = this.engine.stepCount;
  }
  schedule() {
    const runs = this.playing && this.inView;
    if (runs && this.frame === 0) {
      this.due = 0;
      this.lastFrame = performance.now();
      this.measured = { since: this.lastFrame, steps: 0 };
      this.frame = requestAnimationFrame((now) => this.tick(now));
    } else if (!runs && this.frame !== 0) {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
      this.view.rate.textContent = "0";
    }
  }
  tick(now) {
    const elapsed = Math.max(0, now - this.lastFrame);
    this.lastFrame = now;
    this.due += elapsed / 1000 * this.stepsPerSecond;
    const steps = this.runDue();
    if (steps > 0) this.draw();
    this.measure(now, steps);
    this.frame = requestAnimationFrame((later) => this.tick(later));
  }
  runDue() {
    const end = performance.now() + FRAME_BUDGET;
    let steps = 0;
    while (this.due >= 1 && performance.now() < end) {
      this.stepAll();
      this.due -= 1;
      steps += 1;
    }
    this.due = Math.min(this.due, 1);  // what this device cannot do in time is dropped
    return steps;
  }
  measure(now, steps) {
    const { measured } = this;
    measured.steps += steps;
    const elapsed = now - measured.since;
    if (elapsed < RATE_WINDOW) return;
    this.view.rate.textContent = Math.round(1000 * measured.steps / elapsed);
    this.report({ steps: this.engine.stepCount });
    this.measured = { since: now, steps: 0 };
  }
  destroy() {
    this.playing = false;
    this.schedule();
    this.observer.disconnect();
    this.disconnectBrush();
    this.view.root.remove();
  }
}
async function mount(element, descriptions, weights, report = () => {}) {
  try {
    let end = 0;
    const engines = await Promise.all(descriptions.map((description, i) => {
      const start = end;
      end = i === descriptions.length - 1 ? weights.length : start + description.weights_bytes;
      return Engine.create(description, weights.subarray(start, end));
    }));
    const player = new Player(element, engines, report);
    [element.ncaEngine] = engines;
    element.ncaPlayer = player;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!calm) player.setPlaying(true, false);
    return player;
  } catch (error) {
    const message = document.createElement("p");
    message.setAttribute("role", "alert");
    message.textContent = error.message;
    element.prepend(message);
    throw error;
  }
}
async function render({ model, el }) {
  const view = model.get("weights");
  const weights = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const figure = document.createElement("figure");
  figure.className = "nca-figure";
  el.append(figure);
  const report = ({ steps, classIndex }) => {
    if (steps !== undefined) model.set("steps_shown", steps);
    if (classIndex !== undefined) model.set("class_index", classIndex);
    model.save_changes();
  };
  const descriptions = JSON.parse(model.get("descriptions"))
    .map((description) => ({ ...description, class_index: model.get("class_index") }));
  const player = await mount(figure, descriptions, weights, report);
  const follow = () => {
    const index = model.get("class_index");
    if (index !== player.engine.classIndex) player.setClass(index);
  };
  model.on("change:class_index", follow);
  follow();  // Python may have changed it while the engine was starting
  return () => {
    model.off("change:class_index", follow);
    player.destroy();
  };
}
export { Engine, mount };
export default { render };
