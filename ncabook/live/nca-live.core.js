// Built from ncabook/live/engine by build.py. Change the sources there, not this file.
const core = () => {
const KERNELS = "H4sIAAAAAAACA818W3Ac13lmXwZzH8wFGAyAAci/GwMQd4IkCAIkcWlSoijZ4ab2LQ+xRFtcWYOhKJGUKg5Fg9mtra1c1rWhlc1WXmJbDyl7syqXqxJvxVWbxJuXTZX3IZuHPKRSSVlWLpWtspOXffCs9vv+c3qmMQBFWfuQgGqc7nP5+z////2Xc/pAzs17t13Hcdxfd4svpQ7w4x68lD7QH+elDIuHvEuZiiHbkD/o/TgvlczNw/g5Zx4fJjqah8JBclil//DQVtUOjvw4/kjNcT0/5bjuUDqTyubyQ24hNeS+7qLCdx03XfYO3OjRI7dw4ETfRJH5I3ckffvW7Tt3v+A5qc/defU1x8n9q1fv3nrx9s17+45b6Lz61quvvWKevMLLr3Zu3rdtfu7umx17n8p3Xr13/8XP3ep07jlD+Zsvv/zi5z5/87VXbjnp3M/funvnxZdv3XzZyaQ+e/O1fSebvnn//q3XXnZyqdfu3L3t5FOv3Oq86RTSr9y98+br95xi+pWb9z9/665TAkOvveUMZ1++8+ZnO2DDKadfB4v37znVwosvfv7Wzddf/OzNe7d8N//+L7u1TzniRn/4wz/7g4cdcaL//sFv/O+f69wTL/rND/7uz97GnX8vdKLKW+Lci/7L3/32h5kOHsv6+Mvf+9a7P8fHcTxG2bfuFd5w/YPICdKgSKrOC80gA1IOL9xnvT1/T9KSuVZCY+DiAd3ageftSVbc50qOpCM8p8ULnKJXEE9cdPclVXmEH0eGnr/okDD6uEWngJ+/xywOMHwocq9juCt+5N1vB5noIMhGbpDDa/L+HjqktQMefVDMg6UhycvQ9eZ+JyigJmdqQNlWFjECVbjQ7YXmPlubkm13gpK/B8ouaGakFDnaD0TZB7w2w+G2+O3ooC1eh7wseo6kPgPe0BsNYZlDOOB6M6zsD3QiYXS0fcgNuu2zPEKsIE9+UUFfJP8/5IsfQb5I8sNHyaNp+KNJB24BKvfb4lKRpmPoQ/EF1qfbgSNZajcLhaDIqUZCaEC7FH7Jc0sHCUClQMDhhfshqByqCDIKsoykADIhS34H9NCQE9dgAZrLydA1iOMgKKABqqZSpRB510oe9O2TPF8CQWY4Uw9T4dSuN6XUBrkyRg4rrIYjj7AtkdsSKKAoELlFKZMvhUYOogwr4pNIRYkMt9srjnMXbx7miGHFcoz9DIsMiUAKbSlSUhRDkLdCMcj/Wdc9kBRekDKi0Gmnni25OkEX9BXuQ0WIHBPC87VgiFIeIsEUFAvxeSTowXpdij5hWL/iuUO0KyjoBumUKagU6Sl5VEN+LN4IqMX/++GHH2begNnZTiob71m1yBQ0LD7eD3mmOO83wIAyQlxIasOj6Zl+aG3zFWasoiMr2XgsHo8OR6Wh4JtmjEel1w5TkiFqJA2ZFD4JO4ZYQYYK/8l1c0kvg546bRSccpbvvh7kdNY5dEgBxXRD8DPwLvB0cGhFqIfeLD/vOWGpQ1gNdx28rEjP0Gnzvvu+2y14fEEFipAiiyJQBZ6hxOtqJlkjFGsRf+IaPR3mzIt+bBWC29TzBv7KXQqQ4tx9U75RoilZz0iXlkUF+c3QVMTtFp2BnyR/+ehtGCdlnOEU1a+r094HVg0zbfXy8PYbOixlhh2YYT2bJ67DXDyn/+WnUwfuA9deM+r7o7V9K0666pxivqj+eUjvS5LpViXdnXKDYTUF2CA9QJZmfb9NoZdhk5nbeE+ms4++OfTtFj8c+Om+5wYV9RZ5C+NclKOJe7RodWUwfyeoSipIW29SldI1Y2x4L7Bzo+QdFVxQ6ykhF7VIsWwhV1OZDlE4QzR7RKN2N+cx8uTIuOmm+PjARe/33aAGGqnYFcRuJ0UX0qILqbKiihcYFZTZDYw5AqcNd5SLPnTfiPzXwnTkQxRliK3hdn/R7X7dxfTDGoC5i+tG96t83VEIbHX/JerZs9t0cNcEXjrw6Sqdjd5cDrmrr+TS9QP3oU+lPvRjpT5K7Yellrl3gmEg3uEFfZYTvq1icF1VQWDuMK7bwQhNVlJ8ZzjaDuqIrnAVnXBMp9xQDAxLmRgo0E2jchzvmJB6MAmIN1UTE1KhJqwXhuybUOY4wTIFNz8Ny5yQMaP0E1LHw5C+72Q7ENAKrv7xPzz/oyDku0AskDESawCXY0EK1OgNERoeeW0JOGymLcLcQ5OKKfzL3w5bku/sY2gg2dvhLCawLyP77bAoeYaLooaLYpuAJ+ylJbO2PXeoPd9hXV8Dk5hHEVMoHgPEOZkOWtYbDNFrlASczXVP+vzl8ZfDX+7jx48l/Y6cQDPC9+Pw1CYon5KQ12eaQYhZQW4B5ZaixlPSMh4txuocsToX+7EWi5bCwQSryH8DvhnNf/yD3/qlA7JdJJmiOnVIkKgNuyPBPIP0VeU9VL4h4OfDlhrllDVKgU5mtPcCNaMvCGToRsk9VgIlvEU1E7SoLCMNEJxRTUEastD9a+OMA/KkkyyqVbZokqNGpe2Bmdqw2uKQlp2NsdFJqbUBvCaLpkxwghOkWUIv0AmDrpNyZL77A+X3ve8mr+7fauU3rySv7t+44Vy3eOkb/3U3eYGZbjtc7Bb/zaPPbCUv5VLQ4Dw68/vJiyPe53/BQrf4yqs/vZW8grmok8gtVC4glIreefQLjxx1U/HMU7HKAlmAPNBrwfx6X7l/tJu8UAle/o8bNbr/+bjm91yMxfwKKQeaaTF0hwrMx4BdMXLvyti/iOtcU+cl6zxT5yfrfNQVkkopEAKptvE/hb/wcsY7YbH30DPh56FGAoRPXvBE+UTyCW8LtBXF+1ZQUgEhZMDbGJympQB3xvQzZ8OPNc4wG5RN5sjVjpR+LagkRyRar1IQcHHs9PhXfw3vqkoFv2vqKVPwkH4wYjojQS05sbtNM3GsSlZNsUZAQQsjMVDLNs8IR2FFo9T93xqYl2mdZRlhMYLpVpiFD1NYmp7iFtCGQ2UiX/lyWJf6O5J+DLbL7FNO9klrr8NthcL3UikT1jMPGCoT/j2t4sNM6ax9E+5MYqXTy5rpDXF6DJBH4YKYnqOw+2I2CViY52xDjPjH1Pnd5EV0Fbt/CegN/d5v7SQvaw5/7QalbjH883+3m7yC4eh1Yw7WXxThFP6KEv4JrLb8JKutHG+1WMh9lNVWj7HaMq3W2KyP8dXjbLactNlhKZk+3zzUZzjZJy8qemc3eXFULh6OlEML8wsmnuOvytPsnP/9AHFAs7GD5IVEgyTYgRjNkpmsgdOf5nLIyd/2D4YAKe+B9zZM9m2bVvyBwwzUjbL3AxoDs4ewyAValkap+VvF5G5QI7KLXuoM+xb/dlg1eUb127CE9HeCUfSvY+wY1lK4baj2G5E8p0nfmABlqUowruUaMgyWDpw9S4G3LzNfC6om95OxF0qM/5P0bSibKJEVyATKNZTjKJmANmQ4qBeHCseErykkeA6vF5phA5MV/rqOe3BZC6b1PXW8ZIpv2w/r7FI3Xaa/1R0htk8cS7YW1NUUG3T1DRpzQ+rqR05AQeFJOUnNThEZU0iHINK6ImP626HItIy1v/0uAtkoOp5Ar1I2ly8US8Nl7q7x6r6IWf7IDcPuP7i4+6ELWaErqpusPsHqJqubqA4lfMYw9sNdCb4KqjNoZ5epJ9AW9Am7/+hChD9yQYZ9x0lunG9BaD8RE0Bn7TjZ7zjJjgjSUmhT89EeE+gxCK0NtSNO1ymNOt49bR0oJDBNCUyb+J6PpC2N9hXngk+txneNKAshsotdK9TFw4IaRRVDn+nJXjQjqcfYkmlAst+KzJKa4BpSsx+2CnCHQJaQkYx+5TffRV/5Dc1OQQqvmb5RSqNrA/kK0r0GE7nvfO13w/SmrjwbzEjT3/kanK9p+srvsqFBO8ML6XGNhou8LYJGA29lR5GvIndtfU0aOkxG3v0KXm0G6ogGRzRAvqjd2S6J4KuG01/K5WMzrfE1GYS5k4rEMY2pnA1t0CDb2KvDTApS4GtUQ2C7HU4b/YBao5ebFeN7RL0pQGEqEfUajHOcacrOtFDmSqmmuwgsUmABxRgStRo9yLTpZswkEkasuibgRv9LvqMSrCsGek9KPgEGRMqKRlMTdCtsr7Dhe+lszqQfDxkqPSQj1qfJvt2s4uZl3q5509EXb2vATXfCcuTfDyrKWJELUvplzS0DeIqgprKrSZlLFKNNs8Na5WpnxGbRYV4qWJDaDbtfuco49utXGbj+Yzh6lZHqHfiPdlg/PlKNdkfgLz4iVkGdoO7zRYteKhgVFNDtMRFsHBEsr5PJ0xmNyxhfkB+IYfC5FF1eZUoIjMoI/mEpNaFLqWFMBv/StzHDdGe//a3H4eSXwuaPAZA7kkWWcAczbmBdh44jbB39UthAa+aOZNr4rWTCqf7alp55RN+U0RVZRlN5wC7D5dhEdIDl2HSbgxAG+sPGdUhWh2TNpua0ZDkkb4eAj4l+/yntj0Viv2oUVaPS+DISNywjvhw23tn0iqwzeSIaJlGTlYJ5HmVH9knpOLYxo3RgPx8djk/Ss4xT2GPm1/usU6KP3zEFc9ExmodlLphQRY1w5+O45dZ4bxc+H+l6e0JRZxbTELz+Ni9VoxyhTkcIT/hVsxVSgKHgfl5bE+uu8UEUFIAvgLtmkoQ/mcplkXPy8g9yD4oH/oMav1BUdMusQj/CzYSwCo9/8s2wdk9q+9Cv5gKjZruhzlC7H4yxkFxnH94ij/mPY+DB9WAiqqh5IZ2QCuJHVTePmiBfjpi1Rh7CSFomrWubAmBq3FjwWZwwdolBTWRQanVhjeZYldLtgDGrajY42nCd6te4sAXtAvg+IeiaCmtxj1CRXrodzkgJXLZ0gISzWJsFwSl9qoTzwYLerYWLwRJ3hs3DMmInSspy0Y5b0SoxizszeEGrKqyaRySQOBCeijk59PplcmiZQ1i25JdkRcKY8CwWimFMcgEkw5hkwA3biRJFflLprcJKETFPo5hpB2soWu3gjDSCswiN52QqWIccT+tqmjZWxLBz0FZYhUSlSEOr6VbJWW7fn5cziZ4zIAyJa6eqdlpjpw0QvmD2sSMbcEb5vSfifsmqXOhRL/Wpn+fA2qGeLUO91Ke+wU6b4gVbYHkdbfV2sC6bhDkUUdUVy0ViO1BJYAnHlhXRulNG4OgXrbX7XZeMbFktpvoSq2eNlFldMdWX4yU55G1JLhq1r8ilxEbGimjPeaPsGs2rJpssNmWL+7dbun97XnIU5waLDchk5BrgfoEGeEGqz3Jn+CybzsoaizXoRHucY49zpkcBKcIi/PtiLyqvoWYONXO9GlTIPGrmezUV1JxCzalELA9lCTVLCTqhzKJmNkEnBOTGdWMiphMCd+OQdZ9OE1Nt8gsCljOfLmmwFyTxN3TBrpZc5V5ThoA8C0tGcVI3G5vxTrPa7yow2LPfNTmr9rvSs18+r0G9LAVKYlkJ5miU2iRrsc3YPlph7UY7a0Ul1tdabDsrfdtZVds5b2znHKyFm10bMqPQO5ewgVWqsDNgBi0C9QJGrD/JDM7Luh2WwPcFYwResImXbBl8b1kUW3wTWivKawLJCcj3cXwsihM47SETkNxUNF0g0i6AMUXaOpG2brHYYlMLU9WmDTZtxCBcG4AB5H8EPGsDsIQGIPhxTCUBHsb2pqZZoFoBx5DAUAyjCnckj4s5Z03MGUPM8XuhZwQyt1/WWhT/G0HTBKOJXjDaFrdbheWX8HsBK+hqcFHD0yXEn/T1YMdEqV1/D6GGStxREFcsiCMD4isGxFf5WSNKa0iqBQR0VZ23Zoj07QhfV3s+PXhGrgxA+irD+mi4Gfd4VjbxDzFhUnF40nSo9DtciztktcOM6VDsd3gu7nBdO5w2HbL9Ds/HHV7QDmdMh1TYM7xPQVA0x/DT2kFkBfhaAZxWaDVwpSvBPG1uRZ6JDWg2nsYh3pXzLdlKsqvMrgNrCQ6VvzoWAAmmLEuH+QCr8TTCZ+N3z2v9elz/XD/Gsr4e1z/fC5RaH882/FRcP6f1W3H9tUPOYRe6qmEpS0ZC2RauSlAgsP4Uikl+69jmfvoNmUCqEgXnAYiLXPqamNetyqeBl+6UKy9o6cl1LX3Y98XuLi79dLT8hE9Hy0gz4YJ/h1HnpxJOKCuD0bpBV3JObiQ6TR6J1ifYaQ2srh52U8gt4NfAcR0DwLPAEYU1cn2Gd5vk+zTvtgznC+B8wXBOwhhBJth/U0sPgY+lH51E8oxfv+3Gk1nkryXMKFzuNs0JlCo4wIOnDzXzYL7GbZoHRx+2hOl27E9nyM66cabrOrlznNz6oU4n2aluOtX7+UodHhf5ipwP4d8YlOuaOG9o2F9OBPN1rV9O+OBqv8bmF7V+jXXJm/0a63q3+jXWQ2/RGW/FaYJ1zVUWdMQpTsSuhC/QX19QF3mOTvlcnCCsyln65lX65lXrthtsaiCdzBGZ06bHNHtMx977GfjqSwlf7cin4KsvJXy1I8/Dw186FOifQwpx6VAKcY1p0CF//iwSj0uJxMORPbx9L0oTqr30YC9OD2LPKsaznjae9YymB3uH0oM1wLDnpWbktPrSZXpSfuxYlpnYZJdjk61CSCaeb2vOIduQG2Avwr3FnoWsKeoPWxKcWa2NwYh3yKfhdyyuJqyz3+obTj+2bymZJNKCCwgRm6bvNTWyMcTbdQ34bCEtKFiBUQUK+9+stSZ+XLa7AcvonVWMyCgx0gJ0kHZt6rGNJo9t4A0XAHfkzPG+/qau/o6QAy2+MKgWmJJwalu6DMQkzio5CzPFVy3GV82gZwbivqRI7umYUXyvH8VTPMAzpAcwCt8vuVvxpkxlP8ybz0dYrKc2sCDPi7uBVXhechv6Bd/b8FL8hmGEm5Ecd9TvI9r798MCBVe0laMd0ecSv4veD4a12uW2DhClWUSFOkXXTliIitDMCFbFvv34PaLHHEARKUSN0mzw47h4nXCc2y3BhNnZnAREU+zY5Fp0SMYVffzOrZtvJ4iqqpxgfELRht27+gEr9CCCDoKFC9W/jbsZDDhoR95bYYui0uRkFjmHqZtjXYF1p3opTDjPlGYBfNrnRT4v8ZDCfrhsB670iK32B55mxzWeKNzn3RlxgrNA2zk9PnhOysaE1nnqCVIOz5cczUhaujvvMbjPA/dnAw8L7YKeDPF0j9BDxAsvKIp+YNSuuwyezTLhpGy6aVs95KQgUmBRQPr4xXa4QWgtoHJW0VoVT4XVBgg9Q2SdG2pn2vbRkqJFL5PXTcvrSp9X8nka/AYxr9CD4dKwfYjXmMUe00/jdQ2Vq8prkOD1RLvP7mFGwdUWULzOr3PQQK3yHyzY4YFlCjWTiZoJrWnYGl8AsouRG1zSuFyO4zIM8z78T+iZr6qYYJZnJ7PiNfW4odFn6OGll4CEsNAMLpMvwc22SmuuL61FpPqXMaftgIeQNiCxDSkcFdYGhVX4uMISXcxSZgxRsoS2UyqzTE9m27HALh/V7LEAJHse2PNoxhtPRODGx0MgWCs8CXqZmDU5ytoxeDudYC1U1p4AuI2PB7iYteOQdjJmLTPAGuCTAcS2Ir8DXPhtGTfeHosNGUkgbIjn2e7GrZNoHRtoHeqNbaC1blr1zJU95bYNRO5IMdiVEaxxfKyBLgZX7McZfo4GRrcZHbbNx77LCIVN2dHDN6wPt/XkTYdI2QVM9jDNCCC8omvqC1axG8nTfFu2spCspDQxnGIEBYoVRLZYbClQQf4yw85lSZlzf7s0p11kGij2JJJhLt+usLgC9sDwDkCZMwHrIiPARVggCh/z3VJLCmBxWBh6Zlumws0LbsSE5yRrhuXxXnsY4o9KmfxB6oGr19CDIT3WDQk5XPFkzM4p7h09WpiOKjzZJukAMStIQw8ZKjzHI6s8aBjQi2XY36Y7SFV4ZoLrYLNHmolSwTDPWuAq8/guD9NqrDNnJjRotcOM7plUJKN7JlUtKwjnGU2eRgAC8oe0Rd8yqmcg1vjpVvuPaVlBaNSzEcG4mU8qnIgPjztcu2XhgdqYCc8ODnd4CLnIgwiS0x2MSTM4bJpTFcg8RvB6tkxJM7EjjX7xDp1W6z5NRavtDt10/JUcE5nUAxdafSJxyM+SrPPJfHu0O/KYy5RozwafGhB4ijybU4Egxu+WWX6PaIcTqttRUOGuxijGcy9jFCO5gzHKD8480KSiM/vxgxU127NXUbUkehUVpV1mNleWYRbDUgIjJeZzqnknzMbJckmyNzTR5CY7P/AYrZXstwThoahY8arAKavAilWgPdwS1GIF5pIKlFFVn1FaJqm0hGT76kl80e4rZ0Bj/W0nqy8r7ljOOco5p3JGDFRZTKhMhJ86VHoT9pjnKEeO6oHxsGQFYww8zb2inLWwWFZpyVBWTA+RmjF1RGqWQvqH1EzzxNCaoTlAQ7PLGLPLGLOjfCQ9aHZpml1azS1jTS6nJpcZMDmV81SsooyhM2zlD33ISdMFKhEjOp7PlKBtLTKLmKK39QFjU1Ojm4D49G8SrNJysdJgbzSHyYQqIPB2OKqNkwm1jQ5UW3MZrLbGOlhtAcHqfuVhNefoj3NJaxpW7fI8bc8EppIVSLnV3noVyNetXdmKVO/gr60AahUqPIk1TjMqBfz7krTFxMe2n+GE/ajkJ2PJZ/uS1yMwOY15qNVPwkGW2UCWcWIGhd13nBCeP1KL0qNw1qriRV7SNIzWeoY2aRd5k+idNcYi6pO4oMCkdFU2owkCX2G4N6fljhIKJinzyadaEAJmWqVhlmr/Nkw3DtwHPHaWPyg84AaskcEwDARrK/PJjd/7MnYd5UbjHThXLs/gVXVPdtxsvU6gOOAKytf1U/QIIXdKDwPaZcr0fnAChF1pcq3ElRSWI/dJQUiP8+N6KtKvnkEIcc6Yb/JxYsxkZ0Y/jvu9SNnSejw75nkWVj6jd3MgcEqGg3kl4hoicxSdnoBdRDT2ZRYLrBbWxvPBCtS2Ir4mIgtY67JcUgtbtUcEV43CVMY+Ee/LEoslLFVQLMsKixVZpJQX9RAGZD4r4+SqxaLFjzTtYF5OCXRzSmrXLWKrhrsZqXaC02BuDd7mDFZjZ/nxU9b2w3ORXA/m5GwkvK43dTV3zoxaj1xeLzSDUxg6K2fwghF7gNmN1ZkBI2ttrCMpviX6PPtp2kfjUv9cIGaTxXwsyKyk5jG5lpXQspWQ/xQJWZlYCVl5HSMhvIAq8EHc1w/uO8nLvCZcBek2X/KXPAjHR1R8gJtu8d0f//vvJi89aviF9752JXnxlN2qtlz+mdnvJq9+y3vl/7GXvBLH6nraBttLsWKtKq1iZ2lts3LKJIpQl8wZfZxXLVRMbn0eiaAv+WCO+5AUC7chQRcGs9HWzaNF1avN+ny4qiUDc+4eyUlod4SAxsBFPUu+Fm4hj23pF+lLyMVb+iF6G7munjQPd5EKE+PUoAfJzwV+bycLZJY0+q9aKUfUIU8eI41e1pYF0TrKAoTQL07ZtHqL1VtabVO2K6y+xOpLWm1Ttqus3mb1tliSF/l0EU865DKfLuNJe+7waUfFrcaVIpB8ypkIQoxZsR+yNuMzw8cgB7O6iLckULMA+vywCS6PoCZcOBY3IdlUFo8iBzLotQ1iJ7zSQ88aOF/FKvhykpXLWvEBbxZiaZgPylHvrk9ClMQO5PKJSVSUxB40+YlJOKqCkHS2oPoEnS2t+IA3fTpbPTpbh+kYgVwCTD4xCSOQbUDqE5MwAtkF3I/1KwkSqz0Sq4MCmZUGffs8i3lZhIUuMnT7cipORRblFFORgmzQ72nwY5/7jH8t+lPN3xe0FNjSiubvF7XkWrQFA/CA/o+y2wGb62ft9hhD3z4HjLafmlhrtBZnTY17juGyNbXFjzY1WtZxprbz8U2NPkB2jje17X7bEVPbGUDWU8B5uQeG7d7dzgCyBhzHT0aichy+B5F1uYen7d7dTgJZNqosMqosyrqJKnO6mpqT81wIIT+LQXae58q4w3PeJD4IIOnrutdX16pwEyi1sWVD0bhpgs18xBxIcwWNKLqpFS4AHgv0zQDUAr0yvDYCtMXhUhKHvmaicRLQh5x6ihVtXE2AbmWg2sJusNqCebDaBglW9yttVPGJXJ/nW0zI6CGX1vmJkLv38ZFLxcGzHovc3X7bEeTuDfjWp4N3p4e33d7dYSrSfjp+n04laD/dRT+din48ORr8fnJCYfuoux+0qJ2eHe327vYOWdSYWhQdNReNR510Xs3CWMf8Mb7aukD48Xn1zqs9S9B14qRmeEtyIfDNzuiyeu85TW2X4gUh9Rx73SVTEz/a7DlYRe+s8cMNgvoE8PxF4FkXhBPP8rS3LO8HSwUZkZW2SRCPUgpWCf6V9jE59T9xNv0E31Yxrg0p9vk4xS7LmpxucytA/8Sxpblx2v5vKuC7lqQezFK6urLyteOilJ7oxWatFyv+M/di8aqy58UW0aPg/TTKy12D2Esa7xbxcgatRfDGyLMI1k1iMqaLThBrEexLfbC3DNgJ7yk0GnhzaTfPv8rsCzAB70i/uxuIQ3a+HgcCg8UBaCcSiqdCm3sdvkxzqZmEdgEhqxV/yl5+MrIXcceJUowwSP3G2oqxdIbb+mewUH5JT1biVeGaVO0WCAekZYYDZvSPm3kMetN19H9fs/Y/r377YvYXs5f/8OuL29/4xuKO/Suu3s/3nd/7/e//8Hd2v/T1X/1v6S/8653/ByZbURe9RwAA";
const FAST_CONV = "H4sIAAAAAAACA81aSW9jSXJ+C8VFFCWS2kUtkU8kxV2URHHRRj1VV7Wmpqdh+GDAt/YyMOZJ1T0zrWlgUPaoYGCO8yNsH230zXdjbv4XBmwX4JPhu+X2F5H5yEdKtZ1sFcjMjBeZLzLiiyWTZf3Jt69sy7LsYeyr7P3o76/k2/pqdkyyvoqHnfz9oz/LWbDdn379XfzVT19988tfO5btzsQs23FjM/bPbduOJ+1723/zxk4nNt3Yn33z9XeWlfzzb371p7c/+/ovLDv+829+9vXdt5Y7+59/FPvdZip5b7/mj3ufep2+d1/n731LZZ1LmvGz1xmLkr7zystRzt/5lZf/lvI3apFs37lTS+BAs+xblLtRK9xQ6vZGrdLsw6Jaw8T7a7XuZ1WOF3QvKas2KKeyGBWw/ILvYHnfUTmK0wZW8vKB2qQEodkil5ttsOYxMacKNE958ARevuJYECfzSu3QNt4Yu2WyItp6sBxLKecSa6ch9zaBNeblQw6P8viXeeXtUgZSFmUCeSVVJqX2ZJT1KqoqvbZXU/U5O20GDSJuH/7NVjUzrykkYlLZTK4KKcukCikZWDzYCyWZeH2DJTTCeV64fJ2a5IULl6gqA1myiiW9cEmVxi7XM6zyHVmvRauUC9Q+mt1AtdEUA3VAq+qQVtQRbaoc9LhPGZrzLVhqDtOOYC3o3OvQ3HXhhjq+dV2gw+A2UMd0EOHchSkgvDDlhanNTF0s3HNZ245vM1AsWqKMzMlQi3q8eocnZsYTj3lifoKzSB0WITMWoctMHXJUHyJ3HlKwd4NyvHNvQOrht45SlBdykwa0x4Q9aDPntwPDVGdaXWikaSdUYlpJaFlNO6Uq06rEy9S4W0P3hMrcLaN7ShXuViB8jMXucNOBypcDgLbv3wdeP2Ol03RMKVZal5sudr74Atw93w5Uj/LPwUKH/OiQ2ty0oXnhOGKOI82RJqIarUGOt/bDf9gPaacNShmU8ogCAlVAqYwoWVD2QNkbUSzyqA5KPbKORyVQSpF1PABrDdsfr+MBXWvQ7nidAiQs+E4AZ1v4giWEpQu08CUsbfwVeNuFv+Z4Zy43OzDYPE+6C0Ze2gLSRl7apkPx0ubIS3nchkG5JdiH26wqs+vJI2qHnmF4hGC8Q5iFkNV+2JSBeEhz7CEt8ZBj7SFH8IkioNulXfGJowjSW2zC2ymwFxmOPczovwvsx9Q30yJQ72moO6qDl+SjKKYmo6oZgWyI6jFgH8M1hKXBogFhh0HYEfz0GFs9iCLY6jO2+gZ9RX5UxObkUZcfdUPYtacMD40/gkt7CojQOVS9ho1E4IJVPeDjc1k1C6lh/5kQOFma+fLJXHKoc8kKcok7SimL0PL//PDDD4lfQGoo/BeqoJPM+ijJnJH9kIOPZ/BdpTl8DyTtnCCvxK/Vuc4+F+4lUsgQApwLbLMGtpcatr6G7RV4cn5cUk1eDQHhnATlHIOYYzbS0tUoVqtn5E+B+IrAuoQoZjg+ow7+IdZvCPJ2NEN2zPA8ZEgKw65mmBszvAgZPheGfc2QHDNchww/EoYDzRDzRq72EopiB/R+LAxETQCsCUg12U8QMZuqwl7WpGehy5TCbUzILpL3gauIuCLsMi1HJRT5eoBhRCgj0qQcEDXchvdZ+O6K0JdD+otx7mR6L6RfjxKg0MPdei9Delno/ZD+fCIcXMBWedoUQTw6o2SAYuWME+YXaDZQcKDZCdRPaB0lyKU6BiAG4N/iXJYLHnL0Y+DlYdOmH0nr0OfSunDtwcMQny8f/samxsOcNfX3MHj4Q9C/txF0/5GLiC8iYSeJRSZjzioHjyP6SYRpg5lymiknTNvM1IaorcnAhJoBkQwS9zABMhNikZdnqQ+412G597nX15JXIXlVS84LYwYLwfwdaR0EE25df+fh7218/YMdbqbGX3XsyGs8FFzBXQ4SYODIIK8Htgw6emDJoI/ByiiC7rI4yzp8LsvmjnhzyxNMO8zU00y9cR3SQ4ztwlA9jrF0LKm9EWbuZSE2wpCbM0NTNOTN0ITfjhmaSNs3QxOK+xx4+2EREIZhbhCLuVmGVDGW55gWpRzg2NyVcHjEAfgoTP8tOnyBSS2Owy3KSYhe5UerKAlTjMItzbHFHFuaI03PEJdPInHZopeIyyeRuGzRNaL5yUQaf4EC4WSiQHguVU40dn+GsuIkUlZYNMTbh36cYTlK/sMw+YdR1NNR9EBHUZLkP5xI/jsA3ygi7dOBxM0GR01sCardD92zEbpnWM924YlSX5wJxI/Ik2w9Wb1Oeg0CVz7AZOgUNTZiTFtjaN0E9v7YSUJIdU3mjqJKHSMddDTvC3GoFVh0WdI5P+G1YGcBRw6WluSskaTTewN4Ycg0wJfUuXqJQYJKl8upDmdIKjzPIPgCrwA1tQKyRUfMcRdMrYWF+D0ql0Z8TPGOJLkjx9OhrDWqKg8fV5X70PIJlomYlhP1cJyoY4GH7HzNo/S/ZuzB/e4b/Fl+9sabLUqXZinWdebQ2F0niSbVdZjodJ0Y9JTUOk1QimJ+7A4J3b3z0qyvOUNcuiUZZ9BHlp8Xsn3rLTCQpFDIsinBeuul/TkYZJHSvMoS75b7Dq+IKiHPqlylGYqRc+utgSdQ66Di4QaQGWPGAh8jZ2hNQLeFd3H48bYDzmW0zSkITQB/tynFTxyo4BZgtmHxv0RvFxPuA9/5ziuyqqT+KKGs0LQy09JM2xtVKV6Fq5Yq5DTjGo/rtED2jdcwE5ujxVrjifvM2AYW7RvuHZClDgGyI4DMgkEXtOcwGm1o2TvOWFJ0FHFwtpTD+bsCVzlUDs7IaUxKkyO4cZDUvJ54179rs6dRkeG9ppjsmU741EHdiUXS3KQRuX6jIxdVQSwJVHPkiLKAUXL0Ih2YjQ4CMzRLsSM3WNa+kbU5lpXl3Ie8KpQVdtBSarEnZA1FHAn9IVnbILZEVhWRdTsYizspKKRCzQjyDMVhgXz2rw3YEXhpE5SNCGVdKKuG4hJAduLb6lRS70KYege+fYfUBTNzrctmSL5EXEmSUwgAA2NPz8FLT4EEL11AIQu5CJ1z0VZ5rK0aUskZ9nSOXSYkxXUp/VhZXVZW+mOVRXJCZZ31WGd1PNsTnSVGOjsPFXb22LJPApDFcyCew27cfScCux+HQIiWfhf0EqFo9Fi0J/C2HxHNE9HeAbjuxwEuFO0ppO2EoiWmRAN8EoDYwHdvgQs3oDUd6nGeoMUIwmawVOyX4dMNPF2ZejozmruKp8v6KXacEvhh0+dA5AXN4QiziCOOi/PNibpihIIp5lsvgdFzzg7nUA7Yz5ABC3QBnKaE7p1TCmnwlpEyBEwusU0fILxSA66vjGG7JmeLagaGmI4SWZuYzmrECqxWLDLgZiBAxfJnnHbOKCZpB5UF3GlIl9xckk/zfDS74uYK4kHgC4AypRPWCWeAE3ggGhf7HYgnKXicOiVH37Vk+UaC86B3REk9bRbv1dks/dtMYvY+9tqWz8zrGb7vjENDFh9qEvrSE31LJfmBn1Up7D6ukLNUHHZIsMGRcGchQ4r34sC+4DdVDioUlZGsaK43E35MzYOYwmcBKyWQBtOS6yQWJCVpBV5CLkKylJCLkJy0WaTzhNRMiwABy4dqRd6yREnhX5aWkBmTwr8qraXW9H5i3roOTTaPknjZAqyLjIiQNI9eCmBJQqaU3E9s6Mk4xS9y2bGIdzN5EyBZY8IaUJkMb9kKlGVaVmjmlg2lKtNyQjO3bNuojUDjY1cB5Ti6y3KiWuHuCrrbtMrdVSg2xrKluElhgX+yApWkda6i18WGS5jPFxRLmMzXEkuYyZcRSxCPcbckKhIHWZwm5A3niJAzS4wIWVl7gUu2BZrnZp4yECTDRZtY2PKSYS2coeSXUkfyPTgUaKyT0dZZh4EzIwOLoTaNobLGUDljqHxoqFTUULQkZtLGSUSNE2pzbAnaZMpmxA5Ry5iQZuxiVBzqNsW6TYlukd9k/+uiB0KbE42ti+agSp7JV15wqoxRhnbeOF/1pIz3hPqJU4L1w6Ufyi4uC1F2xVDaoeySGtAzLob9cfqFSyW0SyW0S7FOKD7tUnF2qbi4UsK4U0rcKTHlTqLbzdAsCb3OvNE5bIBTvnRhBtJKg06TpALjbUnkC+kuTzmSuBGHAKjPxmsXjKFSoaHgS5aYyxgB2g68JXmyEZpqKUozPjFBM/43QTOGZ5qhTBo1xZE1FfWXebGlhXYE8s0oAcWzeNSIgMrbeI4hxIznjAjApQDDgqOssaNk8OYMHxRTn+Qh8xEPET1vhHpOjvWsFjhsSvYCFXGcHYLzepIj/i4ac0m4DlMsaJ/hGaHfhKe0kRdoA2k/2jCntA3wJbVTkMQbPhRgO3Ky2pUkz4trueXAEEytojZY1RsfdBNkvLgoQZ+1/msnvnpvv47hM3uffs2XpHrr8/ACHI70z138W1vCHIRsf+0WIZPPVwiXcm+6pq9H19Hc8xHIlQOQ/wY5k+vV0Tlj60ZtY2GbCnzY4aMQzhN3vALxerw5PhD5M9LzoMVdqWzzYWXL1couI8ZzR6muKHSMLT0uwZV3pVfGAns0ryqyiK0XKbPeVBWPakinLpVwQiricFtRTVirSa5otIrDKrd1caMWqihqsalMbeEyyl2qc1PHQQNNg5rcNKnGKq6RrRVeojUWqchNkX83CVSF9giG2aP8tUFpTou2S7lbtQ/JcJTma0t1yL86UvvGO/LpWpXp0Cf+XBfkLHakZ3V8viKzXxbUHqaW6AAvWFTF6J75qFuidoBTIOuuzlFNH/WxiXnC2ArHdQSdRggvo6YKNlc06mkY9bjvU49RiFGPUdYT6sHqrHwXK7t8W/nmIvrR7/BaWDrgMvZfbHzjZXN/99+/+330Q8zyVh79+vu/vYp+IBSezZ39cen30Y8hf7/wz5fRD2/h7ZSFIW09NKYxnzFmid2rRHu6tIOJqKxtcCyaz+pq+Bilm0uzqoxNHrM21DEtY114SBcVKStYbGnqNBchqa5xjUd92oFFFxnBmFijovwOPEDlWZSff09RPRflV99zVKdF0dcQxSuDmq3Gt41l5Y6unLBMXfJ4yyjXpyHHjiHsyuQqyl7WApYAR1hk+TRg2kBopsi6olOmnQrNFFnP6Jxp58TLnHD3BN0rOuPuGbrP6IK7F6JWcZwY48RlfTJAkDOa5lekvgGk9wQwIP0J1o+A4uQxKLAXZgIsnj2GhcfS0bPHwPB882AaGt7VCBxtCNzCsfQsKgFvj0lvuSurn5Gvm/FMkpkX0MKnzszKzEsY51NnWqJej6cPYMfI9AGmM+ktd2X6QE8f0PRmT2HtT52pN3sOTHzqTL3ZIaAZ9XvMDP1cz2zpma2JzZZoleNthZsK1eBBNU6kLu2FJUGN9rgkSFOXw5FkI+a544RU5BgnlXJVWgLom1Ipn0jLp7sigMu3oe/zq6hzmPrY/Mo/dqGoU5nKwPiM8Q7jFnxz5zWMW9Te7xZVvCYKkCfdwkBm+IRbsKdC7Y/d4tw8eOQWF1NIeR/GzrShz3VzMYWUKZf+qJnZp9A5gZQzDZFz3VxEkGKieI2jeI06OoqX5UxSpmM+TqAACkFzTDaDZhYPpLJAwI5fy23YspC8PlBnYnlX0NXXwb3ic5Eh+VgiuFz7eFXYvcrRERipcmhE0EQeNLiqR3HlSp1nEm2IInHppjxphThqRmkGSRM0g8kJmgnNTDMUE8JdxqDL/4lDB+oRBtm3PgWDF09ikGMg7OM/gUG2ETz7MQaH5sEjDF5OBbsPwPBCo2iom8nJFHwAie+brIIPhMr3TZYfCh7nlY+e7wWPo+2EJ1xoFxjq5nLCE1bEEzhg8iHqcbCcFThrVFeeiJkmLCGeViRKtkYIlnPThlRCdeopV9/5NSSKlqXyq4cHJDadqSplKP2WOSC1wJfUUXGVgbkNTP4GmJQD0joOSDhnNG5UPU2L1Ax0CTW1jGoxepvBE5Xm/02N+Y4IlNUBCIXncVh4LlCb9gM+CCOgWKooFWNcF5guIkydllWJdSlnDFcYa5R5Z6wpmVgz9/8q1oSnqVGsqYEj7fwB2rMHjcZTSTQ1vJPTRg3ycBKoQVad/FfksIXFigzk+hjIRQ1khu4mHmro8pEG5XxUXRHo+vIjsYYvNOXK/1OBgHNTsA2z9/thy+d6l7b4cBWFLf+aWgx/d228A7U19Hh/rDr4mPwgWAwBc8B30Ac4F34l/7cP7/HalDPHfZ4Qx3EYE3YpKxPS/wsJr/LMAiwAAA==";
const VERSION = 3;
const [RGB, RGBA] = [3, 4];
const LANES = 4;
const MOST_SAID = 80;
const HARMONICS = 2;
const PLACE = 4 * HARMONICS;
const MOST_PIXELS = 512;
const MOST_NEIGHBOURS = 49;
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
checkSteps(description);
checkDecoder(description);
checkLatents(description);
checkCritic(description);
checkTargets(description);
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
expect(Array.isArray(d.votes), "votes", d.votes, "a list of classes, empty where nothing is classified");
expect(isNatural(d.visible) && d.fixed + d.visible + d.votes.length <= d.channels,
"visible", d.visible, "a whole number ≥ 0, with fixed and votes at most channels");
expect(d.decoder !== null || d.film || d.votes.length > 0 || d.visible === RGB || d.visible === RGBA,
"visible", d.visible, `${RGB}, red, green and blue, or ${RGBA}, with alpha, where neither decoder ` +
"nor votes make a picture");
expect(d.living_threshold === null || (isNatural(d.living) && d.living < d.channels),
"living", d.living, "the index of the channel that tells which cells live");
expect(!d.fill || (d.start === null && d.fill.length === d.channels && d.fill.every(Number.isFinite)),
"fill", d.fill, "nothing, or a number for each channel and no start");
expect(!d.rules || (d.rules.length > 1 && d.living_threshold === null), "rules", d.rules,
"nothing, or names of two or more rules without a living mask");
const sizes = d.sizes ?? [];
const free = Boolean(d.fill) && [d.targets, d.condition, d.inputs].every((part) => part === null);
expect(sizes.length === 0 || (free && sizes.every((size) => size.length === 2 && size.every(isCount))),
"sizes", d.sizes, "nothing, or pairs of height and width where nothing has the grid's size");
expect(d.turns === undefined || (Number.isFinite(d.turns) &&
d.ops.every(({ kind }) => kind === "conv" || kind === "bank")),
"turns", d.turns, "nothing, or degrees where all that a cell sees by is kernels");
const starts = d.starts ?? 1;
expect(starts === 1 || (d.start !== null && starts === d.classes.length),
"starts", d.starts, "nothing, or the number of classes where there is a start for each");
expect(d.start === null || fits(d.start, 2, 2 * d.height * d.width * d.channels * starts, d),
"start", d.start, "null, or an even offset of the states within the weights");
expect(d.ring === undefined || (typeof d.ring === "boolean" && d.start === null && !d.fill && d.visible > 0),
"ring", d.ring, "nothing, or true or false where the start is a seed cell");
const seeds = d.seeds ?? [];
expect(d.seeds === undefined || (d.start === null && !d.fill && d.visible > 0 && d.planes === 0 &&
seeds.length > 0 && seeds.length === d.classes.length &&
seeds.every((seed) => seed.length === d.channels - d.fixed && seed.every(Number.isFinite))),
"seeds", d.seeds, "nothing, or for each class the numbers of a seed cell where there is no other start");
expect(d.free === undefined || (d.seeds && d.free.length === d.channels - d.fixed &&
d.free.every(Number.isFinite)),
"free", d.free, "nothing, or the numbers of a seed cell of no class beside those of classes");
expect(d.erased === undefined || (d.fixed > 0 && d.erased?.length === d.fixed && d.erased.every(Number.isFinite)),
"erased", d.erased, "nothing, or what each fixed channel of an erased cell holds");
const share = (value) => value >= 0 && value <= 1;
expect(d.inks === undefined || (d.decoder === null && d.votes.length === 0 && d.inks?.length > 0 &&
d.inks.every(({ name, color }) => typeof name === "string" && color?.length === RGB && color.every(share))),
"inks", d.inks, "nothing, or names and colours in [0, 1] where cells show red, green and blue");
expect(d.more === undefined || typeof d.more === "boolean",
"more", d.more, "nothing, or true or false: whether all instruments are in sight from the start");
expect(d.fire_rate > 0 && d.fire_rate <= 1, "fire_rate", d.fire_rate, "a probability in (0, 1]");
expect(d.living_threshold === null || Number.isFinite(d.living_threshold),
"living_threshold", d.living_threshold, "a number or null");
expect(Number.isInteger(d.seed), "seed", d.seed, "a whole number");
expect(Array.isArray(d.classes), "classes", d.classes, "a list");
expect(d.inputs === null || fits(d.inputs, 1, d.height * d.width * d.fixed * d.classes.length, d),
"inputs", d.inputs, "null, or an offset of a picture for each class within the weights");
expect(isNatural(d.planes) && (d.condition !== null || d.planes === 0 || d.planes === d.classes.length),
"planes", d.planes, `0 or ${d.classes.length}, the number of classes`);
expect(d.condition === null || fits(d.condition, 2, 2 * d.height * d.width * d.planes, d),
"condition", d.condition, "null, or an even offset of a map within the weights");
const last = Math.max(0, d.classes.length - 1);
expect(Number.isInteger(d.class_index) && d.class_index >= 0 && d.class_index <= last,
"class_index", d.class_index, `a whole number from 0 to ${last}`);
}
function checkCritic(d) {
if (d.critic === undefined) return;
const { layers, centre, spread } = d.critic;
expect(Number.isFinite(centre) && spread > 0, "critic.centre, spread", [centre, spread],
"two numbers, the second above 0");
let [side, channels] = [Math.min(d.height, d.width), d.visible + d.fixed];
layers.forEach((layer, i) => {
const { in: inputs, out, kernel, stride, padding, slope, weight, bias } = layer;
side = Math.floor((side + 2 * padding - kernel) / stride) + 1;
const counts = [inputs, out, kernel, stride, side].every(isCount) && isNatural(padding);
expect(counts && inputs === channels && slope >= 0 && slope <= 1 &&
fits(weight, 2, 2 * out * inputs * kernel ** 2, d) && fits(bias, 4, 4 * out, d),
`critic.layers[${i}]`, layer, `a convolution of ${channels} channels that fits picture and weights`);
channels = out;
});
expect(channels === 1, "critic.layers", channels, "one channel at the end");
}
function checkTargets(d) {
if (d.targets === null) return;
expect(d.decoder === null, "targets", d.targets, "null where a decoder makes the picture");
const { offset, top, left, height, width } = d.targets;
const inside = isNatural(top) && isNatural(left) && isCount(height) && isCount(width) &&
top + height <= d.height && left + width <= d.width;
expect(inside && fits(offset, 4, 4 * height * width * Math.max(1, d.classes.length), d),
"targets", d.targets, "null, or pictures inside the grid and the weights");
}
const bufferSizes = (d) => [padded(d.channels + d.planes), ...d.buffers];
const rulesOf = (d) => Array.from({ length: d.rules?.length ?? 1 }, (_, rule) =>
d.ops.filter((op) => (op.rule ?? 0) === rule));
const padded = (count) => (count + LANES - 1) & -LANES;
function checkSteps(d) {
checkOps(d, d, CHECKS);
const sizes = bufferSizes(d);
for (const ops of rulesOf(d)) {
const last = ops.at(-1);
expect(last?.kind === "conv" && sizes[last.to] === padded(d.channels), "ops",
last?.kind, `a conv at the end, into a buffer of ${padded(d.channels)}: the change`);
}
}
function checkDecoder(d) {
const { decoder } = d;
if (decoder === null) return;
if (decoder.kind !== undefined) {
checkLocal(decoder, d);
return;
}
checkOps(decoder, d, DECODER_CHECKS);
const { scales, scale, image, ops, buffers } = decoder;
expect(Array.isArray(scales) && scales.length === buffers.length && scales.every(isCount),
"decoder.scales", scales, "a whole number ≥ 1 for each buffer");
const of = (buffer) => (buffer === 0 ? 1 : scales[buffer - 1]);
ops.forEach((op, i) => {
const times = op.kind === "doubling" ? 2 : 1;
expect(op.to > 0 && (op.from === undefined || of(op.to) === times * of(op.from)),
`decoder.ops[${i}].to`, op.to, `a buffer of ${times} times the scale`);
});
expect(image === RGB || image === RGBA, "decoder.image", image, "3 or 4 channels");
const { kind, out, to } = ops.at(-1);
expect(kind === "conv" && out === image && of(to) === scale, "decoder.ops", kind,
`a conv at the end, into ${image} channels at ${scale} times the grid's size`);
}
function checkLocal({ kind, image, hidden, harmonics, first, second, last }, d) {
expect(kind === "local", "decoder.kind", kind, 'nothing, or "local"');
expect(image === RGB || image === RGBA, "decoder.image", image, "3 or 4 channels");
expect(harmonics === HARMONICS, "decoder.harmonics", harmonics, `${HARMONICS}, as this engine has them`);
expect(isCount(hidden), "decoder.hidden", hidden, "a whole number ≥ 1");
expect(Math.max(d.height, d.width) <= MOST_PIXELS, "height, width", [d.height, d.width],
`at most ${MOST_PIXELS} cells, one for each pixel of the picture`);
const inputs = d.channels + PLACE;
Object.entries({ first: [first, inputs, hidden], second: [second, hidden, hidden], last: [last, hidden, image] })
.forEach(([name, [layer, from, to]]) => expect(
fits(layer?.weight, 2, 2 * from * to, d) && fits(layer?.bias, 4, 4 * to, d), `decoder.${name}`, layer,
`offsets of ${from} × ${to} weights and ${to} biases within the weights`));
}
function checkLatents(d) {
const { beside, codes } = d;
expect(beside === undefined || (typeof beside === "boolean" && (d.decoder !== null || d.film || !beside)),
"beside", beside, "nothing, or true or false where a decoder makes the picture of latents, or a film is shown");
expect(codes === undefined || (d.decoder !== null && d.visible > 0 && isCount(codes?.count) &&
fits(codes.offset, 2, 2 * codes.count * d.visible, d)),
"codes", codes, "nothing, or an offset and a count of codes within the weights where there is a decoder");
}
function checkOps(list, d, checks) {
const where = list === d ? "" : "decoder.";
expect(Array.isArray(list.buffers) && list.buffers.every((size) => isCount(size) && size % LANES === 0),
`${where}buffers`, list.buffers, "a list of sizes, each a multiple of 4");
expect(Array.isArray(list.ops) && list.ops.length > 0, `${where}ops`, list.ops, "a list of operations");
const sizes = [bufferSizes(d)[0], ...list.buffers];
list.ops.forEach((op, i) => {
const must = (name, fits, expected) =>
expect(fits(op[name]), `${where}ops[${i}].${name}`, op[name], expected);
const check = checks[op.kind];
must("kind", () => Object.hasOwn(checks, op.kind), `one of ${Object.keys(checks).join(", ")}`);
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
is.float("position", op.heads * op.kernel ** 2);
},
norm(op, is) {
is.buffer("to");
is.must("offset", isNatural, "a whole number ≥ 0");
is.part("channels", "to", undefined, op.offset);
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
const DECODER_CHECKS = {
conv: CHECKS.conv,
doubling(op, is) {
["from", "to"].forEach(is.buffer);
is.count("in", "out");
is.part("in", "from");
is.must("out", (v) => padded(v) === is.size("to"), `the ${is.size("to")} numbers of buffer ${op.to}, or up to 3 less`);
is.half("weight", 9 * op.in * op.out);
is.float("bias", op.out);
},
groups(op, is) {
is.buffer("to");
is.part("channels", "to");
is.must("channels", isCount, "a whole number ≥ 1");
is.must("groups", (v) => isCount(v) && op.channels % v === 0, "a divisor of channels");
is.must("eps", (v) => v > 0, "a number > 0");
is.slope();
is.float("weight", op.channels);
is.float("bias", op.channels);
},
};
const isCount = (value) => Number.isInteger(value) && value >= 1;
const isNatural = (value) => Number.isInteger(value) && value >= 0;
const fits = (offset, align, length, d) =>
Number.isInteger(offset) && offset >= 0 && offset % align === 0 &&
offset + length <= d.weights_bytes;
function expect(condition, name, given, expected) {
if (condition) return;
const said = typeof given === "number" ? String(given) : JSON.stringify(given) ?? "undefined";
const brief = said.length > MOST_SAID ? `${said.slice(0, MOST_SAID)}…` : said;
throw new Error(`live figure: ${name} is ${brief}; expected ${expected}`);
}
function decodeHalf(bytes, offset, count) {
const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 2 * count);
return finite(Float32Array.from({ length: count }, (_, i) => halfToNumber(view.getUint16(2 * i, true))), offset);
}
function decodeFloat(bytes, offset, count) {
const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 4 * count);
return finite(Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true)), offset);
}
function finite(numbers, offset) {
if (numbers.every(Number.isFinite)) return numbers;
throw new Error(`live figure: the weights from byte ${offset} on are not all numbers; ` +
"expected those that the automaton was exported with");
}
function halfToNumber(bits) {
const sign = bits & 0x8000 ? -1 : 1;
const exponent = (bits >> 10) & 31;
const fraction = bits & 1023;
if (exponent === 0) return sign * fraction * 2 ** -24;
return exponent === 31 ? NaN : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
function decodeBase64(text) {
return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
const MOST_STEPS = 1e7;
const MOST_EVENTS = 20000;
const FAR = 1e6;
const MOST_WEIGHT = 10;
const MOST_SPEED = 64;
const COIN = 2 ** 32 - 1;
const SHAPES = ["circle", "square", "half"];
const numberIn = (least, most) => ({
fits: (value) => Number.isFinite(value) && value >= least && value <= most,
expected: `a number from ${least} to ${most}`,
});
const wholeIn = (least, most) => ({
fits: (value) => Number.isInteger(value) && value >= least && value <= most,
expected: `a whole number from ${least} to ${most}`,
});
const orNothing = ({ fits, expected }) => ({
fits: (value) => value === undefined || fits(value), expected: `nothing, or ${expected}`,
});
const lastOf = (list) => Math.max(0, (list?.length ?? 0) - 1);
const WHERE = {
shape: { fits: (value) => SHAPES.includes(value), expected: `one of ${SHAPES.join(", ")}` },
x: numberIn(-FAR, FAR),
y: numberIn(-FAR, FAR),
size: numberIn(0, FAR),
};
const SALT = orNothing(wholeIn(0, COIN));
const EVENTS = {
erase: {
fields: () => ({ ...WHERE, share: orNothing(numberIn(0, 1)), salt: SALT }),
apply: (engine, values) => engine.erase(values),
},
draw: {
fields: () => ({ ...WHERE, value: numberIn(0, 1) }),
apply: (engine, values) => engine.draw(values),
},
paint: {
fields: ({ inks }) => ({ ...WHERE, ink: wholeIn(0, lastOf(inks)) }),
apply: (engine, values) => engine.paint(values),
},
disturb: {
fields: () => ({ ...WHERE, sigma: numberIn(0, 10), salt: SALT }),
apply: (engine, values) => engine.disturb(values),
},
graft: {
fields: ({ rules }) => ({ ...WHERE, rule: wholeIn(0, lastOf(rules)) }),
apply: (engine, values) => engine.graft(values),
},
plant: {
fields: () => ({ x: wholeIn(-FAR, FAR), y: wholeIn(-FAR, FAR) }),
apply: (engine, { x, y }) => engine.plant(x, y),
},
mutate: {
fields: ({ classes }) => ({ index: wholeIn(0, lastOf(classes)) }),
apply: (engine, { index }) => engine.setClass(index),
},
choose: {
fields: ({ classes }) => ({ index: wholeIn(0, lastOf(classes)) }),
apply: (engine, { index }) => engine.choose(index),
},
turn: {
fields: () => ({ degrees: numberIn(-360, 360) }),
apply: (engine, { degrees }) => engine.turn(degrees),
},
watch: {
fields: () => ({ alone: { fits: (value) => typeof value === "boolean", expected: "true or false" } }),
apply: (engine, values) => engine.watch(values),
},
throw: {
fields: ({ film: { throws: [, count] } }) => ({
digit: wholeIn(0, count - 1), x: numberIn(-FAR, FAR), y: numberIn(-FAR, FAR),
down: numberIn(-MOST_SPEED, MOST_SPEED), right: numberIn(-MOST_SPEED, MOST_SPEED),
}),
apply: (engine, values) => engine.throw(values),
},
guide: {
fields: () => ({ weight: numberIn(-MOST_WEIGHT, MOST_WEIGHT) }),
apply: (engine, { weight }) => engine.guide(weight),
},
};
function checkFields(name, fields, given) {
for (const [field, { fits, expected }] of Object.entries(fields)) {
expect(fits(given[field]), `${name}${field}`, given[field], expected);
}
}
function checkEvent(event, description, name = "event") {
const { turns, free, inks, rules, fixed, film } = description;
const can = {
turn: turns !== undefined, guide: free !== undefined, paint: Boolean(inks), graft: Boolean(rules),
draw: film ? film.walls : fixed > 0, watch: Boolean(film), throw: film?.throws[1] > 0,
};
const kinds = Object.keys(EVENTS).filter((kind) => can[kind] ?? true);
expect(kinds.includes(event?.kind), `${name}.kind`, event?.kind, `one of ${kinds.join(", ")}`);
checkFields(`${name}.`, EVENTS[event.kind].fields(description), event);
}
const applyEvent = (engine, { kind, step, ...values }) => EVENTS[kind].apply(engine, values);
function checkMoment(moment, description) {
const { classes, sizes, turns, free } = description;
checkFields("", {
step: wholeIn(0, MOST_STEPS),
canvas: orNothing(wholeIn(0, lastOf(sizes))),
classIndex: wholeIn(0, lastOf(classes)),
degrees: orNothing(turns === undefined ? wholeIn(0, 0) : numberIn(-360, 360)),
weight: orNothing(free === undefined ? wholeIn(1, 1) : numberIn(-MOST_WEIGHT, MOST_WEIGHT)),
}, moment);
const { events, step } = moment;
expect(Array.isArray(events) && events.length <= MOST_EVENTS,
"events", events, `a list of at most ${MOST_EVENTS}`);
let earlier = 0;
events.forEach((event, i) => {
checkEvent(event, description, `events[${i}]`);
checkFields(`events[${i}].`, { step: wholeIn(earlier, step) }, event);
earlier = event.step;
});
}
const BLOCK = 4 * LANES;
const [A, B, C] = [0, 1, 2];
const sumOf = (kernel, shares, { in: inputs, out }) => (i, o) =>
shares.reduce((sum, [share, ky, kx]) => sum + share * kernel[((3 * ky + kx) * inputs + i) * out + o], 0);
const pairs = (rows, columns) => rows.flatMap(([share, ky]) =>
columns.map(([other, kx]) => [share * other, ky, kx]));
function placeOf(o, inputs, outputs) {
const size = o < outputs - outputs % BLOCK ? BLOCK : LANES;
return { at: (o - o % size) * inputs + o % size, size };
}
function nineKernels(kernel, op, outputs) {
const { in: inputs, out } = op;
const ways = [[[1, A], [1, B], [1, C]], [[-1, A]], [[1, C]]];
const all = new Float32Array(9 * inputs * outputs);
ways.flatMap((rows) => ways.map((columns) => pairs(rows, columns))).forEach((shares, n) => {
const sum = sumOf(kernel, shares, op);
for (let o = 0; o < out; o++) {
const { at, size } = placeOf(o, inputs, outputs);
for (let i = 0; i < inputs; i++) all[n * inputs * outputs + at + i * size] = sum(i, o);
}
});
return all;
}
function parityKernels(kernel, op) {
const { in: inputs, out } = op;
const sides = [[[[1, A]], [[1, B], [1, C]]], [[[1, A], [1, B]], [[1, C]]]];
return sides.flatMap((rows) => sides.map((columns) => {
const four = rows.flatMap((row) => columns.map((column) => sumOf(kernel, pairs(row, column), op)));
return Float32Array.from({ length: 4 * inputs * out }, (_, n) =>
four[Math.floor(n / inputs / out)](Math.floor(n / out) % inputs, n % out));
}));
}
const PAGE = 65536;
const wrap = (i, n) => ((i % n) + n) % n;
function plainKernels() {
let bytes;
let floats;
let ints;
const memory = {
buffer: new ArrayBuffer(0),
grow(pages) {
const larger = new Uint8Array(this.buffer.byteLength + pages * PAGE);
if (bytes) larger.set(bytes);
this.buffer = larger.buffer;
[bytes, floats, ints] = [larger, new Float32Array(this.buffer), new Int32Array(this.buffer)];
},
};
const each = (at, count, visit) => { for (let i = 0; i < count; i++) visit(ints[at / 4 + i]); };
const leaky = (value, slope) => Math.max(value, value * slope);
const neighbour = (input, stride, cell, dy, dx, height, width) =>
input / 4 + stride * (wrap(Math.floor(cell / width) + dy, height) * width + wrap(cell % width + dx, width));
const coin = (column, row, step, seed) => {
let h = Math.imul(column, 0x8da6b343) ^ Math.imul(row, 0xd8163841) ^ Math.imul(step, 0xcb1ab31f) ^ seed;
h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
return (h ^ (h >>> 16)) >>> 8;
};
const window = (mask, height, width, lives) => {
for (let y = 0; y < height; y++) {
for (let x = 0; x < width; x++) {
let found = false;
for (let k = 0; k < 9 && !found; k++) {
found = lives(wrap(y + Math.floor(k / 3) - 1, height) * width + wrap(x + k % 3 - 1, width));
}
bytes[mask + y * width + x] = found;
}
}
};
const errorFunction = (x) => {
const t = 1 / (1 + 0.3275911 * Math.abs(x));
const terms = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
const y = 1 - t * terms.reduce((sum, term) => sum * t + term) * Math.exp(-x * x);
return x < 0 ? -y : y;
};
return {
memory,
__heap_base: { value: 16 },
coin,
fire_mask(mask, height, width, step, seed, limit) {
for (let i = 0; i < height * width; i++) {
bytes[mask + i] = coin(i % width, Math.floor(i / width), step, seed) < limit;
}
},
rule_mask(own, mask, rules, rule, count) {
for (let i = 0; i < count; i++) bytes[own + i] = Number(bytes[mask + i] && bytes[rules + i] === rule);
},
living_mask(mask, state, stride, alpha, threshold, height, width) {
const limit = Math.fround(threshold);
window(mask, height, width, (cell) => floats[state / 4 + cell * stride + alpha] > limit);
},
dilate_mask(wide, mask, height, width) {
window(wide, height, width, (cell) => bytes[mask + cell]);
},
list_cells(cells, fire, relevant, count) {
let listed = 0;
for (let i = 0; i < count; i++) {
if (relevant) bytes[fire + i] &= bytes[relevant + i];
if (bytes[fire + i]) ints[cells / 4 + listed++] = i;
}
return listed;
},
conv(input, inStride, inChannels, output, outStride, outChannels, weights, bias, kernel, dilation,
slope, add, height, width, cells, count) {
const sum = new Float64Array(outChannels);
const reach = (kernel - 1) / 2;
each(cells, count, (cell) => {
const to = output / 4 + cell * outStride;
for (let o = 0; o < outChannels; o++) sum[o] = floats[bias / 4 + o] + (add ? floats[to + o] : 0);
let weight = weights / 4;
for (let k = 0; k < kernel * kernel; k++) {
const [dy, dx] = [Math.floor(k / kernel) - reach, (k % kernel) - reach];
const from = neighbour(input, inStride, cell, dy * dilation, dx * dilation, height, width);
for (let channel = 0; channel < inChannels; channel++, weight += outChannels) {
const value = floats[from + channel];
if (value === 0) continue;
for (let o = 0; o < outChannels; o++) sum[o] += value * floats[weight + o];
}
}
for (let o = 0; o < outChannels; o++) floats[to + o] = leaky(sum[o], slope);
});
},
bank(input, stride, output, outStride, filters, filterCount, height, width, cells, count) {
each(cells, count, (cell) => {
const to = output / 4 + cell * outStride;
floats.fill(0, to, to + filterCount * stride);
for (let k = 0; k < 9; k++) {
const from = neighbour(input, stride, cell, Math.floor(k / 3) - 1, (k % 3) - 1, height, width);
for (let f = 0; f < filterCount; f++) {
const share = floats[filters / 4 + 9 * f + k];
for (let q = 0; q < stride; q++) floats[to + f * stride + q] += share * floats[from + q];
}
}
});
},
attend(input, inStride, output, outStride, heads, size, scale, positions, kernel, height, width, cells, count) {
const [embedding, reach] = [heads * size, (kernel - 1) / 2];
const taps = [...Array(kernel * kernel).keys()];
each(cells, count, (cell) => {
const near = taps.map((n) =>
neighbour(input, inStride, cell, Math.floor(n / kernel) - reach, (n % kernel) - reach, height, width));
for (let h = 0; h < heads; h++) {
const query = input / 4 + cell * inStride + h * size;
const logits = taps.map((n) => {
let dot = 0;
for (let q = 0; q < size; q++) dot += floats[query + q] * floats[near[n] + embedding + h * size + q];
return dot * scale + floats[positions / 4 + h * taps.length + n];
});
const most = Math.max(...logits);
const weights = logits.map((logit) => Math.exp(logit - most));
const total = weights.reduce((a, b) => a + b);
for (let q = 0; q < size; q++) {
let sum = 0;
for (const n of taps) sum += weights[n] * floats[near[n] + 2 * embedding + h * size + q];
floats[output / 4 + cell * outStride + h * size + q] = sum / total;
}
}
});
},
norm(data, stride, channels, weight, bias, eps, slope, cells, count) {
each(cells, count, (cell) => {
const values = floats.subarray(data / 4 + cell * stride, data / 4 + cell * stride + channels);
const mean = values.reduce((a, b) => a + b) / channels;
const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / channels;
const scale = 1 / Math.sqrt(variance + eps);
values.forEach((value, q) => {
values[q] = leaky((value - mean) * scale * floats[weight / 4 + q] + floats[bias / 4 + q], slope);
});
});
},
gelu(data, stride, channels, cells, count) {
each(cells, count, (cell) => {
for (let i = data / 4 + cell * stride, end = i + channels; i < end; i++) {
floats[i] *= 0.5 * (1 + errorFunction(floats[i] * Math.SQRT1_2));
}
});
},
gather(input, stride, where, whereStride, output, outStride, kernel, height, width, cells, count) {
const [taps, reach] = [kernel * kernel, (kernel - 1) / 2];
each(cells, count, (cell) => {
const given = where / 4 + cell * whereStride;
for (let t = 0; t < taps; t++) {
const y = Math.fround(Math.floor(cell / width) + Math.floor(t / kernel) - reach + floats[given + 2 * t]);
const x = Math.fround((cell % width) + (t % kernel) - reach + floats[given + 2 * t + 1]);
const modulation = 2 / (1 + Math.exp(-floats[given + 2 * taps + t]));
const [top, left] = [Math.floor(y), Math.floor(x)];
const to = output / 4 + cell * outStride + t * stride;
floats.fill(0, to, to + stride);
for (let k = 0; k < 4; k++) {
const [below, beside] = [k >> 1, k & 1];
const share = modulation * (below ? y - top : 1 - y + top) * (beside ? x - left : 1 - x + left);
const from = neighbour(input, stride, 0, top + below, left + beside, height, width);
for (let q = 0; q < stride; q++) floats[to + q] += share * floats[from + q];
}
}
});
},
doubling(input, stride, channels, output, outputs, weights, bias, _, height, width) {
const values = new Float64Array(channels);
const product = new Float64Array(outputs);
const add = (ways, rows, columns) => {
const first = weights / 4 + ways * channels * outputs;
for (let o = 0; o < outputs; o++) {
const { at, size } = placeOf(o, channels, outputs);
product[o] = 0;
for (let i = 0; i < channels; i++) product[o] += values[i] * floats[first + at + i * size];
}
for (const row of rows) {
for (const column of columns) {
const to = output / 4 + (wrap(row, 2 * height) * 2 * width + wrap(column, 2 * width)) * outputs;
for (let o = 0; o < outputs; o++) floats[to + o] += product[o];
}
}
};
for (let i = 0; i < 4 * height * width; i++) {
floats.copyWithin(output / 4 + i * outputs, bias / 4, bias / 4 + outputs);
}
const reached = (i) => [[2 * i, 2 * i + 1], [2 * i], [2 * i - 1]];
for (let y = 0; y < height; y++) {
for (let x = 0; x < width; x++) {
const [here, left, above, corner] = [[0, 0], [0, -1], [-1, 0], [-1, -1]].map(([dy, dx]) =>
neighbour(input, stride, y * width + x, dy, dx, height, width));
for (let ways = 0; ways < 9; ways++) {
const [down, right] = [Math.floor(ways / 3), ways % 3];
for (let i = 0; i < channels; i++) {
const beside = right ? floats[left + i] : 0;
const over = down ? floats[above + i] - (right ? floats[corner + i] : 0) : 0;
values[i] = floats[here + i] - beside - over;
}
add(ways, reached(y)[down], reached(x)[right]);
}
}
}
},
points(cells, stride, channels, width, rowCells, rowShares, rowPlaces, columnCells, columnShares,
columnPlaces, second, secondBias, last, lastBias, _, output, rows, columns) {
const [line, a, b] = [width, 1, 1].map((n) => new Float64Array(n * stride));
const between = (to, at, from, one, other, share, more) => {
for (let q = 0; q < stride; q++) {
to[at + q] = from[one + q] + share * (from[other + q] - from[one + q]) + floats[more + q];
}
};
const layer = (from, weights, bias, outputs, store) => {
for (let o = 0; o < outputs; o++) {
let sum = floats[bias / 4 + o];
for (let i = 0; i < channels; i++) sum += from[i] * floats[weights / 4 + i * outputs + o];
store(o, sum);
}
};
const wave = (x) => Math.cos(2 * Math.PI * x);
for (let i = 0; i < rows; i++) {
const [above, below] = [0, 1].map((k) => cells / 4 + ints[rowCells / 4 + 2 * i + k] * width * stride);
for (let x = 0; x < width * stride; x += stride) {
between(line, x, floats, above + x, below + x, floats[rowShares / 4 + i], rowPlaces / 4 + i * stride);
}
for (let j = 0; j < columns; j++) {
const [left, right] = [0, 1].map((k) => ints[columnCells / 4 + 2 * j + k] * stride);
between(a, 0, line, left, right, floats[columnShares / 4 + j], columnPlaces / 4 + j * stride);
for (let q = 0; q < stride; q++) a[q] = wave(a[q]);
layer(a, second, secondBias, stride, (o, sum) => { b[o] = wave(sum); });
const to = output / 4 + 4 * (i * columns + j);
layer(b, last, lastBias, 4, (o, sum) => { floats[to + o] = sum; });
}
}
},
groups(data, stride, channels, groups, weight, bias, eps, slope, _, count) {
const size = channels / groups;
for (let first = 0; first < channels; first += size) {
const total = (term) => {
let sum = 0;
for (let i = 0; i < count; i++) {
for (let q = first; q < first + size; q++) sum += term(floats[data / 4 + i * stride + q]);
}
return sum / (count * size);
};
const mean = total((value) => value);
const scale = 1 / Math.sqrt(total((value) => (value - mean) ** 2) + eps);
for (let i = 0; i < count; i++) {
for (let q = first; q < first + size; q++) {
const at = data / 4 + i * stride + q;
floats[at] = leaky((floats[at] - mean) * scale * floats[weight / 4 + q] + floats[bias / 4 + q], slope);
}
}
}
},
add_change(state, stride, change, channels, cells, count) {
each(cells, count, (cell) => {
for (let q = 0; q < channels; q++) floats[state / 4 + cell * stride + q] += floats[change / 4 + cell * channels + q];
});
},
zero_dead(state, stride, channels, before, after, count) {
for (let i = 0; i < count; i++) {
if (!(bytes[before + i] & bytes[after + i])) floats.fill(0, state / 4 + i * stride, state / 4 + i * stride + channels);
}
},
};
}
function turned(numbers, side, inner, degrees) {
const result = Float32Array.from(numbers);
const kernel = side * side * inner;
for (let radius = 1; radius <= side >> 1; radius++) {
const ring = ringOf(side, radius);
const shift = degrees / 360 * ring.length;
const whole = Math.floor(shift);
const share = shift - whole;
const from = (i) => ring[((i - whole) % ring.length + ring.length) % ring.length] * inner;
ring.forEach((tap, i) => {
const [near, next] = [from(i), from(i - 1)];
for (let start = 0; start < numbers.length; start += kernel) {
for (let k = 0; k < inner; k++) {
result[start + tap * inner + k] =
(1 - share) * numbers[start + near + k] + share * numbers[start + next + k];
}
}
});
}
return result;
}
function ringOf(side, radius) {
const [first, last] = [(side >> 1) - radius, (side >> 1) + radius];
const along = Array.from({ length: 2 * radius }, (_, i) => i);
return [
...along.map((i) => [first, first + i]), ...along.map((i) => [first + i, last]),
...along.map((i) => [last, last - i]), ...along.map((i) => [last - i, first]),
].map(([y, x]) => y * side + x);
}
let compiled = null;
async function compile(code) {
const packed = new Blob([decodeBase64(code)]).stream();
const module = new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
return WebAssembly.compile(await module);
}
const inJavaScript = () => ({ ...plainKernels(), kind: "JavaScript" });
async function begun(module, imports) {
try {
return module && (await WebAssembly.instantiate(module, imports)).exports;
} catch {
return null;
}
}
async function instantiate(fast) {
compiled ??= Promise.all([KERNELS, FAST_CONV].map((code) => compile(code).catch(() => null)));
const [all, conv] = await compiled;
const exports = await begun(all, {});
if (exports === null) return inJavaScript();
const better = fast ? await begun(conv, { env: { memory: exports.memory } }) : null;
if (better === null) return { ...exports, kind: "SIMD" };
const { conv: fastConv, doubling, points } = better;
return { ...exports, conv: fastConv, doubling, points, kind: "relaxed SIMD" };
}
const RUNNERS = {
conv(engine, op, bytes) {
const [from, to] = [engine.buffers[op.from], engine.buffers[op.to] + 4 * op.offset];
const [fromStride, toStride] = [engine.strides[op.from], engine.strides[op.to]];
const { height, width } = engine;
const [out, rows] = [padded(op.out), op.kernel ** 2 * op.in];
const kernel = decodeHalf(bytes, op.weight, rows * op.out);
const weight = engine.place(kernel, rows);
if (op.kernel > 1) engine.turners.push((degrees) =>
engine.put(turned(kernel, op.kernel, op.in * op.out, degrees), rows, weight));
const bias = engine.place(decodeFloat(bytes, op.bias, op.bias_rows * op.out), op.bias_rows);
const biasStep = op.bias_rows > 1 ? 4 * out : 0;
return ({ at, count }) => engine.kernels.conv(
from, fromStride, op.in, to, toStride, out, weight, bias + engine.classIndex * biasStep,
op.kernel, op.dilation, op.slope, op.add, height, width, at, count,
);
},
bank(engine, op, bytes) {
const [from, to] = [engine.buffers[op.from], engine.buffers[op.to] + 4 * op.offset];
const [fromStride, toStride] = [engine.strides[op.from], engine.strides[op.to]];
const { height, width } = engine;
const given = decodeFloat(bytes, op.weight, 9 * op.filters);
const filters = engine.place(given, 1);
engine.turners.push((degrees) => engine.put(turned(given, 3, 1, degrees), 1, filters));
return ({ at, count }) => engine.kernels.bank(
from, fromStride, to, toStride, filters, op.filters, height, width, at, count,
);
},
attend(engine, op, bytes) {
const [from, to] = [engine.buffers[op.from], engine.buffers[op.to]];
const [fromStride, toStride] = [engine.strides[op.from], engine.strides[op.to]];
const { height, width } = engine;
const neighbours = op.kernel ** 2;
const position = engine.place(decodeFloat(bytes, op.position, op.heads * neighbours), 1);
return ({ at, count }) => engine.kernels.attend(
from, fromStride, to, toStride, op.heads, op.size, op.scale, position, op.kernel,
height, width, at, count,
);
},
norm(engine, op, bytes) {
const [to, stride] = [engine.buffers[op.to] + 4 * op.offset, engine.strides[op.to]];
const weight = engine.place(decodeFloat(bytes, op.weight, op.channels), 1);
const bias = engine.place(decodeFloat(bytes, op.bias, op.channels), 1);
return ({ at, count }) =>
engine.kernels.norm(to, stride, op.channels, weight, bias, op.eps, op.slope, at, count);
},
gelu(engine, op) {
const [to, stride] = [engine.buffers[op.to], engine.strides[op.to]];
return ({ at, count }) => engine.kernels.gelu(to, stride, op.channels, at, count);
},
gather(engine, op) {
const [from, where, to] = [op.from, op.where, op.to].map((i) => engine.buffers[i]);
const [fromStride, whereStride, toStride] =
[op.from, op.where, op.to].map((i) => engine.strides[i]);
const { height, width } = engine;
return ({ at, count }) => engine.kernels.gather(
from, fromStride, where, whereStride, to, toStride, op.kernel, height, width, at, count,
);
},
doubling(engine, op, bytes) {
const [from, to] = [engine.buffers[op.from], engine.buffers[op.to]];
const [fromStride, toStride] = [engine.strides[op.from], engine.strides[op.to]];
const [height, width] = [engine.height / 2, engine.width / 2];
const weight = engine.place(nineKernels(decodeHalf(bytes, op.weight, 9 * op.in * op.out), op, toStride), 1);
const bias = engine.allocate(2 * 4 * toStride);
engine.floats(bias, op.out).set(decodeFloat(bytes, op.bias, op.out));
const scratch = engine.allocate(4 * width * (2 * fromStride + 6 * toStride));
return () => engine.kernels.doubling(
from, fromStride, op.in, to, toStride, weight, bias, scratch, height, width,
);
},
groups(engine, op, bytes) {
const [to, stride] = [engine.buffers[op.to], engine.strides[op.to]];
const weight = engine.place(decodeFloat(bytes, op.weight, op.channels), 1);
const bias = engine.place(decodeFloat(bytes, op.bias, op.channels), 1);
const scratch = engine.allocate(2 * 4 * stride);
return ({ count }) => engine.kernels.groups(
to, stride, op.channels, op.groups, weight, bias, op.eps, op.slope, scratch, count,
);
},
};
const PAGE_BYTES = 65536;
const ALIGNMENT = 16;
class NoMemoryError extends Error {}
class Memory {
constructor(kernels) {
this.kernels = kernels;
this.memory = kernels.memory;
this.heap = { free: kernels.__heap_base.value };
}
allocate(bytes) {
const start = (this.heap.free + ALIGNMENT - 1) & -ALIGNMENT;
this.heap.free = start + bytes;
const missing = this.heap.free - this.memory.buffer.byteLength;
try {
if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
} catch {
throw new NoMemoryError(`live figure: no memory; ${this.heap.free} bytes are needed at least`);
}
return start;
}
floats(start, count) {
return new Float32Array(this.memory.buffer, start, count);
}
place(values, rows) {
const start = this.allocate(4 * rows * padded(values.length / rows));
this.put(values, rows, start);
return start;
}
put(values, rows, start) {
const length = values.length / rows;
const target = this.floats(start, rows * padded(length));
for (let row = 0; row < rows; row++) {
target.set(values.subarray(row * length, (row + 1) * length), row * padded(length));
}
}
}
function wholeTargets({ targets, classes, height: rows, width: columns }, bytes) {
if (targets === null) return null;
const { offset, top, left, height, width } = targets;
const count = Math.max(1, classes.length);
const whole = new Uint8Array(4 * rows * columns * count);
for (let row = 0; row < count * height; row++) {
const picture = Math.floor(row / height);
const at = (picture * rows + top + row % height) * columns + left;
const start = offset + 4 * row * width;
whole.set(bytes.subarray(start, start + 4 * width), 4 * at);
}
return whole;
}
function startsOf({ start, starts = 1, fill, height, width, channels }, weights) {
const length = height * width * channels;
if (fill) return [Float32Array.from({ length }, (_, i) => fill[i % channels])];
return start === null ? null
: Array.from({ length: starts }, (_, i) => decodeHalf(weights, start + 2 * length * i, length));
}
class Critic {
constructor({ critic: { layers, centre, spread }, height, width }, weights) {
Object.assign(this, { centre, spread });
this.size = { height, width };
this.layers = layers.map((layer) => {
const { in: inputs, out, kernel, stride, padding } = layer;
const from = this.size;
const side = (length) => Math.floor((length + 2 * padding - kernel) / stride) + 1;
const size = this.size = { height: side(from.height), width: side(from.width) };
return {
...layer, from, size,
weight: decodeHalf(weights, layer.weight, out * inputs * kernel ** 2),
bias: decodeFloat(weights, layer.bias, out),
planes: new Float32Array(out * size.height * size.width),
};
});
}
judge(engine) {
let planes = planesOf(engine);
for (const layer of this.layers) {
convolve(layer, planes);
planes = layer.planes;
}
return planes.map((score) => (score - this.centre) / this.spread);
}
}
function planesOf({ cellsToRead: cells, cellCount, stride, description: { fixed, visible } }) {
const channels = Array.from({ length: visible + fixed }, (_, k) => (k < visible ? fixed + k : k - visible));
const planes = new Float32Array(channels.length * cellCount);
channels.forEach((channel, k) => {
for (let i = 0; i < cellCount; i++) planes[k * cellCount + i] = cells[i * stride + channel];
});
return planes;
}
function convolve({ in: inputs, out, kernel, stride, padding, slope, weight, bias, from, size, planes }, source) {
const [area, least] = [size.height * size.width, -padding];
for (let o = 0; o < out; o++) {
const target = planes.subarray(o * area, (o + 1) * area);
target.fill(bias[o]);
for (let i = 0; i < inputs; i++) {
const first = i * from.height * from.width;
for (let tap = 0; tap < kernel ** 2; tap++) {
const [down, right] = [Math.floor(tap / kernel) + least, tap % kernel + least];
const factor = weight[(o * inputs + i) * kernel ** 2 + tap];
const start = Math.max(0, Math.ceil(-right / stride));
const end = Math.min(size.width, Math.floor((from.width - 1 - right) / stride) + 1);
for (let row = 0; row < size.height; row++) {
const line = row * stride + down;
if (line < 0 || line >= from.height) continue;
const [at, to] = [first + line * from.width + right, row * size.width];
for (let column = start; column < end; column++) {
target[to + column] += factor * source[at + column * stride];
}
}
}
}
if (slope < 1) target.forEach((value, k) => { if (value < 0) target[k] = slope * value; });
}
}
function insideOf({ shape, x, y, size }, { height, width }) {
const apart = (a, b, n) => {
const away = Math.abs(a - b) % n;
return Math.min(away, n - away);
};
const [right, down] = [x - (width - 1) / 2, y - (height - 1) / 2];
const side = (from) => (from < 0 ? -1 : 1);
const inside = {
circle: (dx, dy) => dx * dx + dy * dy <= size * size,
square: (dx, dy) => Math.max(dx, dy) <= size,
half: (dx, dy, row, column) => (Math.abs(right) >= Math.abs(down)
? (column - (width - 1) / 2) * side(right) >= 0
: (row - (height - 1) / 2) * side(down) >= 0),
}[shape];
return (row, column) => inside(apart(column, x, width), apart(row, y, height), row, column);
}
const ERASING = 0x5eed;
const NOISE = 0x6e00;
const LARGEST = 1000;
const seedSize = ({ visible, channels, fixed, decoder }) =>
(visible > 0 || decoder?.kind !== "local" ? visible : channels - fixed);
class Grid extends Memory {
constructor(description, weights, exports) {
super(exports);
const { height, width, channels } = description;
Object.assign(this, { height, width, channels, description });
this.classIndex = description.class_index;
this.weight = 1;
const cells = height * width;
this.cellCount = cells;
[this.stride] = bufferSizes(description);
this.cellsAt = this.allocate(4 * cells * this.stride);
for (const mask of ["livesAt", "rulesAt"]) this[mask] = this.allocate(cells);
this.targets = wholeTargets(description, weights);
this.starts = startsOf(description, weights);
this.inputs = description.inputs === null
? null : weights.subarray(description.inputs);
this.condition = description.condition === null
? null : decodeHalf(weights, description.condition, cells * description.planes);
this.critic = description.critic ? new Critic(description, weights) : null;
this.reset();
}
get cells() {
return this.floats(this.cellsAt, this.cellCount * this.stride);
}
get cellsToRead() {
return this.cells;
}
get state() {
const { cellsToRead: cells, cellCount, channels, stride } = this;
const copy = new Float32Array(cellCount * channels);
for (let i = 0; i < cellCount; i++) {
copy.set(cells.subarray(i * stride, i * stride + channels), i * channels);
}
return copy;
}
restore(state, stepCount, planted = []) {
const { cells, cellCount, channels, stride } = this;
for (let i = 0; i < cellCount; i++) {
cells.set(state.subarray(i * channels, (i + 1) * channels), i * stride);
}
this.stepCount = stepCount;
this.planted = planted;
}
fits(rest) {
return rest.length === 0;
}
reset() {
this.cells.fill(0);
this.stepCount = 0;
this.planted = [];
this.ruleMap.fill(0);
const { starts, classIndex } = this;
if (starts) this.restore(starts[classIndex % starts.length], 0);
else if (seedSize(this.description) > 0) this.plant(this.width >> 1, this.height >> 1);
this.fillPlanes();
}
setClass(index) {
this.choose(index);
if (this.description.seeds) {
this.cells.fill(0);
this.planted = [];
this.plant(this.width >> 1, this.height >> 1);
}
this.fillPlanes();
}
guide(weight) {
this.weight = weight;
}
choose(index) {
const classes = Math.max(1, this.description.classes.length);
if (!Number.isInteger(index) || index < 0 || index >= classes) {
throw new RangeError(`live figure: class ${index}; this automaton has ${classes}`);
}
this.classIndex = index;
}
fillPlanes() {
const { planes, channels, fixed } = this.description;
const { cells, cellCount, stride, inputs, condition } = this;
const picture = inputs?.subarray(this.classIndex * cellCount * fixed);
for (let i = 0; i < cellCount; i++) {
for (let k = 0; inputs && k < fixed; k++) cells[i * stride + k] = picture[i * fixed + k] / 255;
for (let k = 0; k < planes; k++) {
cells[i * stride + channels + k] = condition ? condition[i * planes + k] : Number(k === this.classIndex);
}
}
}
forShape(where, change) {
const { height, width, stride } = this;
const inside = insideOf(where, this);
for (let row = 0; row < height; row++) {
for (let column = 0; column < width; column++) {
if (!inside(row, column)) continue;
change(row, column, (row * width + column) * stride);
}
}
}
coin(column, row, step, seed) {
return this.kernels.coin(column, row, step, seed) / 2 ** 24;
}
erase({ share = 1, salt = 0, ...where }) {
const { cells } = this;
this.forShape(where, (row, column, at) => {
if (this.coin(column, row, salt, ERASING) < share) this.clear(cells, at);
});
}
clear(cells, at) {
const { fixed, erased = [] } = this.description;
cells.set(erased, at);
cells.fill(0, at + fixed, at + this.channels);
}
get drawable() {
return [0, this.description.fixed];
}
draw({ value, ...where }) {
const { cells, drawable: [first, end] } = this;
this.forShape(where, (row, column, at) => cells.fill(value, at + first, at + end));
}
paint({ ink, ...where }) {
const { cells } = this;
const { fixed, visible, inks } = this.description;
const [...values] = [...inks[ink].color, 1].slice(0, visible);
this.forShape(where, (row, column, at) => cells.set(values, at + fixed));
}
disturb({ sigma, salt = 0, ...where }) {
const { cells } = this;
const { fixed, channels, living, living_threshold: threshold } = this.description;
this.forShape(where, (row, column, at) => {
if (threshold !== null && cells[at + living] <= threshold) return;
for (let k = fixed; k < channels; k++) {
const [u, v] = [0, 1].map((i) => this.coin(column, row, salt, 2 * k + NOISE + i));
cells[at + k] += sigma * Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}
});
}
get drawn() {
const { cellsToRead: cells, cellCount, stride, drawable: [first, end] } = this;
const [planes, count] = [new Float32Array(cellCount * (end - first)), end - first];
for (let i = 0; i < cellCount; i++) planes.set(cells.subarray(i * stride + first, i * stride + end), i * count);
return { planes, rules: this.ruleMap.slice() };
}
set drawn({ planes, rules }) {
const { cells, cellCount, stride, drawable: [first, end] } = this;
const count = end - first;
for (let i = 0; i < cellCount; i++) cells.set(planes.subarray(i * count, (i + 1) * count), i * stride + first);
this.ruleMap.set(rules);
}
get runsAway() {
const { cellsToRead: cells, cellCount, channels, stride } = this;
for (let i = 0; i < cellCount; i++) {
for (let at = i * stride, end = at + channels; at < end; at++) {
if (!(Math.abs(cells[at]) <= LARGEST)) return true;
}
}
return false;
}
get ruleMap() {
return new Uint8Array(this.memory.buffer, this.rulesAt, this.cellCount);
}
graft({ rule, ...where }) {
const { ruleMap, stride } = this;
this.forShape(where, (row, column, at) => { ruleMap[at / stride] = rule; });
}
plant(x, y) {
const [row, column] = [wrap(y, this.height), wrap(x, this.width)];
const at = (row * this.width + column) * this.stride;
const { fixed, channels, ring, seeds } = this.description;
this.cells.fill(0, at + fixed, at + channels);
if (seeds) this.cells.set(seeds[this.classIndex], at + fixed);
else this.cells.fill(1, at + fixed, at + fixed + seedSize(this.description));
if (ring) this.planted = [...this.fresh, { row, column, step: this.stepCount }];
}
get fresh() {
return this.planted.filter(({ step }) => step === this.stepCount);
}
get decided() {
const { height, width, fresh } = this;
const around = fresh.flatMap(({ row, column }) => Array.from({ length: 9 }, (_, n) =>
[(row + Math.floor(n / 3) - 1 + height) % height, (column + n % 3 - 1 + width) % width, true]));
return [...around, ...fresh.map(({ row, column }) => [row, column, false])];
}
get ballot() {
const { height, width, stride, cellCount, cellsToRead: cells, description } = this;
const { living, living_threshold: threshold, channels, votes: { length } } = description;
if (threshold !== null) {
this.kernels.living_mask(this.livesAt, this.cellsAt, stride, living, threshold, height, width);
}
const lives = new Uint8Array(this.memory.buffer, this.livesAt, cellCount);
const votes = new Int16Array(cellCount).fill(-1);
const [counts, sums] = [Array(length).fill(0), Array(length).fill(0)];
for (let i = 0; i < cellCount; i++) {
if (threshold !== null && !lives[i]) continue;
const own = cells.subarray(i * stride + channels - length, i * stride + channels);
votes[i] = own.indexOf(Math.max(...own));
if (votes[i] >= 0) counts[votes[i]] += 1;
own.forEach((value, k) => { sums[k] += value; });
}
return { votes, counts, winner: votes.every((vote) => vote < 0) ? -1 : sums.indexOf(Math.max(...sums)) };
}
get error() {
if (this.targets === null) return null;
const { cellsToRead: cells, cellCount, stride, targets } = this;
const first = this.description.fixed;
const target = targets.subarray(4 * cellCount * this.classIndex);
let sum = 0;
for (let i = 0; i < cellCount; i++) {
for (let k = 0; k < 4; k++) {
sum += (cells[i * stride + first + k] - target[4 * i + k] / 255) ** 2;
}
}
return sum / (4 * cellCount);
}
}
const RANGE = 2.5;
const GOLDEN_ANGLE = 137.508;
const [SATURATION, LIGHTNESS] = [0.6, 0.55];
function latentsPicture({ height, width, cellCount, stride, cellsToRead: cells, description }) {
const { channels } = description;
const [fixed, visible] = description.visible ? [description.fixed, description.visible] : [0, channels];
const data = new Uint8ClampedArray(4 * cellCount).fill(255);
for (let i = 0; i < cellCount; i++) {
for (let k = 0; k < 3; k++) {
const value = cells[i * stride + fixed + Math.min(k, visible - 1)];
data[4 * i + k] = 255 * (value + RANGE) / (2 * RANGE);
}
}
return { data, height, width };
}
function codeColor(code) {
const hue = code * GOLDEN_ANGLE / 30;
const chroma = SATURATION * Math.min(LIGHTNESS, 1 - LIGHTNESS);
return [0, 8, 4].map((n) => {
const k = (n + hue) % 12;
return Math.round(255 * (LIGHTNESS - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
});
}
function codesPicture(engine) {
const { height, width, cellCount } = engine;
const data = new Uint8ClampedArray(4 * cellCount).fill(255);
engine.codes.nearest(engine).forEach((code, i) => data.set(engine.codes.colors[code], 4 * i));
return { data, height, width };
}
class Codes {
constructor(engine, { offset, count }, bytes) {
const { fixed, visible } = engine.description;
const codes = decodeHalf(bytes, offset, count * visible);
this.colors = Array.from({ length: count }, (_, code) => codeColor(code));
this.stride = padded(count);
this.inputs = fixed + visible;
const weights = new Float32Array(this.inputs * this.stride);
const bias = new Float32Array(this.stride).fill(-Infinity);
for (let code = 0; code < count; code++) {
bias[code] = 0;
codes.subarray(code * visible, (code + 1) * visible).forEach((value, k) => {
weights[(fixed + k) * this.stride + code] = value;
bias[code] -= value ** 2 / 2;
});
}
this.weights = engine.place(weights, this.inputs);
this.bias = engine.place(bias, 1);
this.scores = engine.allocate(4 * engine.cellCount * this.stride);
}
nearest(engine) {
const { height, width, cellCount, cellsAt, kernels, all } = engine;
const { inputs, stride, scores } = this;
void engine.cellsToRead;
kernels.conv(cellsAt, engine.stride, inputs, scores, stride, stride, this.weights, this.bias,
1, 1, 1, false, height, width, all.at, cellCount);
const found = engine.floats(scores, cellCount * stride);
return Uint32Array.from({ length: cellCount }, (_, i) => {
let best = i * stride;
for (let at = best; at < (i + 1) * stride; at++) if (found[at] > found[best]) best = at;
return best - i * stride;
});
}
}
const TURN = 1 / (2 * Math.PI);
const QUARTER = 0.25;
const FEW_PIXELS = 128;
const CHUNK = 32;
class LocalDecoder {
constructor(engine, { image, hidden, first, second, last }, bytes) {
const { height, width, description: { channels } } = engine;
const stride = padded(hidden);
const weights = ({ weight }, inputs, outputs) => decodeHalf(bytes, weight, inputs * outputs);
const biases = ({ bias }, outputs) => decodeFloat(bytes, bias, outputs);
const turns = (numbers, less = 0) => numbers.map((value) => value * TURN - less);
const both = turns(weights(first, channels + PLACE, hidden));
this.first = engine.place(both.subarray(0, channels * hidden), channels);
this.place = both.slice(channels * hidden);
this.firstBias = engine.place(turns(biases(first, hidden), QUARTER), 1);
this.second = engine.place(turns(weights(second, hidden, hidden)), hidden);
this.secondBias = engine.place(turns(biases(second, hidden), QUARTER), 1);
this.last = engine.place(weights(last, hidden, image), hidden);
this.lastBias = engine.place(biases(last, image), 1);
this.read = engine.allocate(4 * height * width * stride);
this.scratch = engine.allocate(4 * stride * (width + 2 * CHUNK));
const [rows, columns] = [0, 1].map(() => ({
cells: engine.allocate(8 * MOST_PIXELS),
shares: engine.allocate(4 * MOST_PIXELS),
places: engine.allocate(4 * MOST_PIXELS * stride),
}));
Object.assign(this, { hidden, stride, rows, columns });
const most = engine.kernels.kind === "JavaScript" ? FEW_PIXELS : MOST_PIXELS;
this.factor = Math.max(1, Math.floor(most / Math.max(height, width)));
this.output = engine.allocate(16 * MOST_PIXELS ** 2);
this.zoom(engine, 1, 0, 0);
}
zoom(engine, times, x, y) {
const [height, width] = [engine.height / times, engine.width / times];
const [top, left] = times === 1 ? [0, 0] : [
wrap(y + 0.5 - height / 2, engine.height), wrap(x + 0.5 - width / 2, engine.width)];
const [rows, columns] = [engine.height, engine.width].map((cells) => cells * this.factor);
this.aim(engine, { top, left, height, width, rows, columns });
}
aim(engine, { top, left, height, width, rows, columns }) {
this.window = { top, left, height, width, rows, columns };
this.lay(engine, this.rows, { first: top, cells: height, pixels: rows, all: engine.height, column: 0 });
this.lay(engine, this.columns, { first: left, cells: width, pixels: columns, all: engine.width, column: 1 });
}
lay(engine, to, { first, cells, pixels, all, column }) {
const { hidden, stride, place } = this;
const around = new Int32Array(engine.memory.buffer, to.cells, 2 * pixels);
const shares = engine.floats(to.shares, pixels);
const places = engine.floats(to.places, pixels * stride).fill(0);
for (let i = 0; i < pixels; i++) {
const at = first + (i + 0.5) * cells / pixels;
const before = Math.floor(at - 0.5);
around[2 * i] = wrap(before, all);
around[2 * i + 1] = wrap(before + 1, all);
shares[i] = at - 0.5 - before;
for (let k = 0; k < 2 * HARMONICS; k++) {
const turn = 2 * Math.PI * (1 + (k >> 1)) * at;
const feature = k & 1 ? Math.cos(turn) : Math.sin(turn);
for (let q = 0; q < hidden; q++) places[i * stride + q] += feature * place[(2 * k + column) * hidden + q];
}
}
}
decode(engine) {
const { height, width, cellCount, cellsAt, kernels, all, channels } = engine;
const { read, stride, rows, columns, window } = this;
void engine.cellsToRead;
kernels.conv(cellsAt, engine.stride, channels, read, stride, stride, this.first, this.firstBias,
1, 1, 1, false, height, width, all.at, cellCount);
kernels.points(read, stride, this.hidden, width, rows.cells, rows.shares, rows.places,
columns.cells, columns.shares, columns.places, this.second, this.secondBias, this.last, this.lastBias,
this.scratch, this.output, window.rows, window.columns);
const numbers = engine.floats(this.output, 4 * window.rows * window.columns);
return { numbers, stride: 4, height: window.rows, width: window.columns, window };
}
}
const TOGETHER = 256;
class Engine extends Grid {
static async create(description, weights, fast = true) {
checkDescription(description, weights);
const kernels = await instantiate(fast);
try {
return new this(description, weights, kernels);
} catch (error) {
if (!(error instanceof NoMemoryError) || kernels.kind === "JavaScript") throw error;
}
return new this(description, weights, inJavaScript());
}
constructor(description, weights, exports) {
super(description, weights, exports);
const cells = this.cellCount;
this.skip = true;
this.strides = bufferSizes(description);
this.buffers = this.strides.map((stride, i) =>
(i === 0 ? this.cellsAt : this.allocate(4 * cells * stride)));
for (const mask of ["fireAt", "beforeAt", "afterAt", "wideAt", "widerAt"]) {
this[mask] = this.allocate(cells);
}
const most = cells * (description.decoder?.scale ?? 1) ** 2;
this.all = { at: this.allocate(4 * most), count: cells };
new Int32Array(this.memory.buffer, this.all.at, most).forEach((_, i, all) => { all[i] = i; });
this.turners = [];
this.degrees = 0;
this.rules = rulesOf(description).map((ops) => this.prepareRule(ops, weights));
this.local = description.decoder?.kind === "local" ? new LocalDecoder(this, description.decoder, weights) : null;
this.decoder = this.local ?? (description.decoder && this.prepareDecoder(description.decoder, weights));
this.codes = description.codes ? new Codes(this, description.codes, weights) : null;
this.fireRate = description.fire_rate;
this.turn(description.turns ?? 0);
}
turn(degrees) {
if (degrees === this.degrees) return;
for (const turner of this.turners) turner(degrees);
this.degrees = degrees;
}
prepareRule(ops, weights) {
const cells = this.cellCount;
const phases = [];
for (const op of ops) {
if (phases.at(-1)?.near !== op.near) phases.push({ near: op.near, runs: [] });
phases.at(-1).runs.push(RUNNERS[op.kind](this, op, weights));
}
return {
phases,
lists: new Map([0, ...ops.map((op) => op.near)].map((near) =>
[near, { at: this.allocate(4 * cells), count: 0 }])),
changeAt: this.buffers[ops.at(-1).to],
maskAt: this.allocate(cells),
};
}
prepareDecoder({ buffers, scales, ops, scale }, bytes) {
const strides = [this.stride, ...buffers];
const grids = [1, ...scales].map((s) => ({ height: s * this.height, width: s * this.width }));
const starts = grids.map(({ height, width }, i) =>
(i === 0 ? this.cellsAt : this.allocate(4 * height * width * strides[i])));
const runs = ops.map((op) => {
const { height, width } = grids[op.to];
const place = Object.assign(Object.create(this), { height, width, strides, buffers: starts, turners: [] });
const run = RUNNERS[op.kind](place, op, bytes);
return () => run({ at: this.all.at, count: height * width });
});
const { to } = ops.at(-1);
return { runs, at: starts[to], stride: strides[to], height: scale * this.height, width: scale * this.width };
}
decode() {
if (this.local) return this.local.decode(this);
const { runs, at, stride, height, width } = this.decoder;
for (const run of runs) run();
return { numbers: this.floats(at, height * width * stride), stride, height, width };
}
aim(window) {
this.local.aim(this, window);
}
get backend() {
return this.kernels.kind === "JavaScript" ? "JavaScript" : "WebAssembly";
}
step() {
const k = this.kernels;
const { height, width, stride, cellCount, description } = this;
const { living, living_threshold: threshold, seed, channels, fixed } = description;
const masked = threshold !== null;
k.fire_mask(this.fireAt, height, width, this.stepCount, seed, Math.floor(this.fireRate * 2 ** 24));
const fire = new Uint8Array(this.memory.buffer, this.fireAt, cellCount);
for (const [row, column, fires] of this.decided) fire[row * width + column] = Number(fires);
if (masked) {
k.living_mask(this.beforeAt, this.cellsAt, stride, living, threshold, height, width);
k.dilate_mask(this.wideAt, this.beforeAt, height, width);
}
this.rules.forEach((rule, i) => {
k.rule_mask(rule.maskAt, this.fireAt, this.rulesAt, i, cellCount);
this.listCells(rule, masked && this.skip ? this.wideAt : 0);
for (const { near, runs } of rule.phases) {
const { at, count } = this.skip ? rule.lists.get(near) : this.all;
for (let first = 0; first < count; first += TOGETHER) {
const some = { at: at + 4 * first, count: Math.min(TOGETHER, count - first) };
for (const run of runs) run(some);
}
}
});
for (const { lists, changeAt } of this.rules) {
const { at, count } = lists.get(0);
k.add_change(this.cellsAt, stride, changeAt, padded(channels), at, count);
}
if (masked) {
k.living_mask(this.afterAt, this.cellsAt, stride, living, threshold, height, width);
k.zero_dead(this.cellsAt + 4 * fixed, stride, channels - fixed, this.beforeAt, this.afterAt, cellCount);
}
this.stepCount += 1;
}
listCells({ lists, maskAt }, relevantAt) {
const k = this.kernels;
const { height, width, cellCount } = this;
const changing = lists.get(0);
changing.count = k.list_cells(changing.at, maskAt, relevantAt, cellCount);
for (const [near, list] of lists) {
if (near === 0 || !this.skip) continue;
let mask = maskAt;
for (let i = 0; i < near; i++) {
const wider = mask === this.wideAt ? this.widerAt : this.wideAt;
k.dilate_mask(wider, mask, height, width);
mask = wider;
}
list.count = k.list_cells(list.at, mask, 0, cellCount);
}
}
get changes() {
const { channels } = this.description;
const stride = padded(channels);
const sizes = new Float32Array(this.cellCount);
for (const { lists, changeAt } of this.rules) {
const { at, count } = lists.get(0);
const change = this.floats(changeAt, this.cellCount * stride);
for (const i of new Int32Array(this.memory.buffer, at, count)) {
sizes[i] = Math.hypot(...change.subarray(i * stride, i * stride + channels));
}
}
return sizes;
}
get fired() {
const fired = new Uint8Array(this.cellCount);
for (const { maskAt } of this.rules) {
new Uint8Array(this.memory.buffer, maskAt, this.cellCount)
.forEach((computed, i) => { fired[i] |= computed; });
}
return fired;
}
}
const PART = 2;
const ROUNDING = 1e-6;
const takeOff = ([digit, row, column, down, right]) => ({ digit, row, column, down, right, age: -1 });
function strikes(walls, { row, column, bitmap }) {
const { side, pixels } = bitmap;
const [top, left] = [Math.floor(row), Math.floor(column)];
return pixels.some((value, i) => value > 127 &&
walls.numbers[(top + Math.floor(i / side)) * walls.width + left + i % side] > 0.5);
}
function fly(flight, bitmap, { height, width }, walls) {
const next = { ...flight, age: flight.age + 1 };
if (next.age === 0) return next;
const ways = { row: ["down", height - bitmap.side], column: ["right", width - bitmap.side] };
const parts = walls === null ? 1 : Math.max(1, Math.ceil(Math.hypot(next.down, next.right) / PART - ROUNDING));
for (let part = 0; part < parts; part++) {
for (const [axis, [speed, free]] of Object.entries(ways)) {
const before = next[axis];
const after = before + next[speed] / parts;
const edge = (after <= 0 || after >= free) && next[speed] !== 0;
next[axis] = Math.min(free, Math.max(0, after));
const wall = walls !== null && next[speed] !== 0 && strikes(walls, { ...next, bitmap }) &&
!strikes(walls, { ...next, [axis]: before, bitmap });
if (wall) next[axis] = before;
if (edge || wall) next[speed] *= -1;
}
}
return next;
}
function drawDigit(frame, { row, column }, { side, pixels }, width) {
const [top, left] = [Math.floor(row), Math.floor(column)];
pixels.forEach((value, i) => {
const at = (top + Math.floor(i / side)) * width + left + i % side;
frame[at] = Math.max(frame[at], value);
});
}
const MOST_FRAMES = 1e9;
const MOST_FLIGHTS = 32;
const HEAD = 4;
const FIELDS = ["digit", "row", "column", "down", "right", "age"];
const doubles = (numbers, first, end) => new Float64Array(numbers.slice(2 * first, 2 * end).buffer);
function flightsOf(numbers, count) {
const rows = doubles(numbers, HEAD, HEAD + count * FIELDS.length);
return Array.from({ length: count }, (_, i) =>
Object.fromEntries(FIELDS.map((name, k) => [name, rows[i * FIELDS.length + k]])));
}
class Reel {
constructor({ film, height, width }, bytes) {
const { patch, reels, digits, shown, seen } = film;
this.size = { height: patch * height, width: patch * width };
this.length = this.size.height * this.size.width;
Object.assign(this, { bytes, reels, seen, firstShown: shown });
this.bitmaps = Array.from({ length: digits?.count ?? 0 }, (_, i) => {
const area = digits.side ** 2;
return { side: digits.side, pixels: bytes.subarray(digits.offset + i * area, digits.offset + (i + 1) * area) };
});
this.rewind(0, 0);
}
rewind(index, step) {
this.film = this.reels[index];
this.began = step;
this.frame = -1;
this.shown = this.firstShown;
this.flights = this.film.flights.map(takeOff);
this.past = [];
}
get frames() {
return this.film.frames === null ? MOST_FRAMES : this.film.count;
}
get numbers() {
const { began, frame, shown, flights, past, length } = this;
const rows = flights.flatMap((flight) => FIELDS.map((name) => flight[name]));
const few = new Float32Array(Float64Array.of(began, frame, shown, flights.length, ...rows).buffer);
const all = new Float32Array(few.length + past.length * length);
all.set(few);
past.forEach((picture, i) => all.set(picture, few.length + i * length));
return all;
}
set numbers(numbers) {
const [began, frame, shown, count] = doubles(numbers, 0, HEAD);
Object.assign(this, { began, frame, shown });
this.flights = flightsOf(numbers, count);
const pictures = numbers.subarray(2 * (HEAD + count * FIELDS.length));
this.past = Array.from({ length: pictures.length / this.length }, (_, i) =>
Uint8ClampedArray.from(pictures.subarray(i * this.length, (i + 1) * this.length)));
}
fits(numbers, step) {
const { length, seen, bitmaps, size: { height, width } } = this;
if (!(numbers instanceof Float32Array) || numbers.length < 2 * HEAD) return false;
const [began, frame, shown, count] = doubles(numbers, 0, HEAD);
const isIn = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;
const most = Math.max(MOST_FLIGHTS, ...this.reels.map(({ flights }) => flights.length));
if (!isIn(began, 0, step) || !isIn(frame, -1, MOST_FRAMES) || !isIn(shown, 0, MOST_FRAMES) || !isIn(count, 0, most)) {
return false;
}
const flown = 2 * (HEAD + count * FIELDS.length);
return numbers.length === flown + (frame < 0 ? 0 : seen * length) &&
flightsOf(numbers, count).every(({ digit, row, column, down, right, age }) =>
isIn(digit, 0, bitmaps.length - 1) && row >= 0 && row <= height - bitmaps[digit].side &&
column >= 0 && column <= width - bitmaps[digit].side && Math.abs(down) <= MOST_SPEED &&
Math.abs(right) <= MOST_SPEED && isIn(age, -1, MOST_FRAMES));
}
isAlone(frame) {
return frame >= Math.min(this.shown, this.frames);
}
throw(flight) {
this.flights = [...this.flights.slice(1 - MOST_FLIGHTS), takeOff(flight)];
}
advance(walls) {
this.flights = this.flown(this.flights, walls);
this.frame += 1;
const { now, past, seen } = this;
this.past = Array.from({ length: seen }, (_, i) => (i === 0 ? now : past[i - 1] ?? now));
}
flown(flights, walls) {
return flights.map((flight) => fly(flight, this.bitmaps[flight.digit], this.size, walls));
}
drawn(frame, flights) {
const picture = new Uint8ClampedArray(this.length);
const { frames, count } = this.film;
if (frames !== null && frame < count) {
const at = frames + frame * this.length;
picture.set(this.bytes.subarray(at, at + this.length));
}
for (const flight of flights) drawDigit(picture, flight, this.bitmaps[flight.digit], this.size.width);
return picture;
}
get now() {
return this.drawn(this.frame, this.flights);
}
later(count, walls) {
let { flights } = this;
for (let i = 0; i < count; i++) flights = this.flown(flights, walls);
return this.drawn(this.frame + count, flights);
}
news(looks) {
const thrown = this.flights.slice(this.film.flights.length).filter(({ age }) => age >= 0 && age < looks);
return thrown.length === 0 ? null : this.drawn(MOST_FRAMES, thrown);
}
}
const STATES = ["carried", "fresh", "window"];
function checkFilm(d) {
const { steps, seen, shift, patch, state, shown, walls, stays, reels, digits, throws, speed } = d.film;
const must = (condition, name, expected) => expect(condition, `film.${name}`, d.film[name], expected);
for (const name of ["steps", "seen", "shift", "patch", "shown"]) must(isCount(d.film[name]), name, "a whole number ≥ 1");
must(STATES.includes(state), "state", `one of ${STATES.join(", ")}`);
must(typeof walls === "boolean", "walls", "true or false");
const [windows, area, size] = [state === "window", patch ** 2, d.height * d.width];
must(windows ? shift <= seen : shift === 1, "shift", windows ? `at most ${seen}, the frames that are seen` : "1");
const told = windows ? seen * area : area;
expect(d.visible === told, "visible", d.visible, `${told}, the pixels of what is told in a cell`);
const least = (windows ? 0 : seen * area) + (walls ? area : 0);
expect(d.fixed >= least, "fixed", d.fixed, `${least} or more: frames that are seen, and walls`);
must(Array.isArray(reels) && reels.length === Math.max(1, d.classes.length), "reels", "a film for each class");
const kept = d.fixed - (windows ? 0 : seen * area);
must(fits(stays, LANES, 4 * size * kept * reels.length, d), "stays", "an offset, a multiple of 4, within the weights");
must(digits === null || (isCount(digits.count) && isCount(digits.side) &&
digits.side < patch * Math.min(d.height, d.width) && fits(digits.offset, 1, digits.count * digits.side ** 2, d)),
"digits", "null, or pictures smaller than a frame, within the weights");
const count = digits?.count ?? 0;
must(throws?.length === 2 && throws.every(isNatural) && throws[0] + throws[1] <= count, "throws",
`a first digit and how many follow, of ${count}`);
must(speed > 0 && Number.isFinite(speed), "speed", "pixels a frame, a number > 0");
reels.forEach(({ frames, count: length, flights }, i) => {
expect(frames === null || (isCount(length) && fits(frames, 1, length * size * area, d)),
`film.reels[${i}].frames`, frames, "null, or an offset of frames within the weights");
expect(Array.isArray(flights) && flights.every((flight) => flight.length === 5 &&
flight.every(Number.isFinite) && isNatural(flight[0]) && flight[0] < count),
`film.reels[${i}].flights`, flights, "rows of a digit's number, row, column, and speed down and right");
});
}
const NEWS = 10;
class FilmEngine extends Engine {
static async create(description, weights, fast = true) {
checkDescription(description, weights);
checkFilm(description);
return super.create(description, weights, fast);
}
constructor(description, weights, kernels) {
super(description, weights, kernels);
const { film: { seen, patch, state, stays, reels }, fixed, height, width } = description;
const windows = state === "window";
this.area = patch ** 2;
this.seenAt = windows ? fixed : 0;
this.staysAt = windows ? 0 : seen * this.area;
this.first = windows ? seen - 1 : 0;
const count = height * width * (fixed - this.staysAt);
this.stays = reels.map((_, i) => decodeFloat(weights, stays + 4 * i * count, count));
this.reel = new Reel(description, weights);
this.reset();
}
get drawable() {
const { fixed, film } = this.description;
return [film.walls ? fixed - film.patch ** 2 : fixed, fixed];
}
clear(cells, at) {
super.clear(cells, at);
cells.fill(0, at + this.seenAt, at + this.seenAt + this.description.film.seen * this.area);
}
get state() {
const [cells, numbers] = [super.state, this.reel.numbers];
const whole = new Float32Array(cells.length + numbers.length);
whole.set(cells);
whole.set(numbers, cells.length);
return whole;
}
fits(rest, step) {
return rest.length === 0 || this.reel.fits(rest, step);
}
restore(state, stepCount, planted = []) {
const length = this.cellCount * this.channels;
super.restore(state.subarray(0, length), stepCount, planted);
if (!this.reel) return;
if (state.length > length) {
this.reel.numbers = state.subarray(length);
this.reel.film = this.reel.reels[this.classIndex];
} else {
this.reel.rewind(this.classIndex, stepCount);
}
}
reset() {
super.reset();
if (this.reel) this.settle();
}
setClass(index) {
this.choose(index);
this.cells.fill(0);
this.reel.rewind(index, this.stepCount);
this.settle();
}
settle() {
const { cells, cellCount, stride, staysAt, description: { fixed } } = this;
const count = fixed - staysAt;
const stays = this.stays[this.classIndex];
for (let i = 0; i < cellCount; i++) {
cells.set(stays.subarray(i * count, (i + 1) * count), i * stride + staysAt);
}
}
watch({ alone }) {
this.reel.shown = alone ? this.reel.frame + 1 : MOST_FRAMES;
}
throw({ digit, x, y, down, right }) {
const { reel, description: { film: { patch, throws: [first, count] } } } = this;
const { side } = reel.bitmaps[first];
const corner = (at, free) => Math.min(free, Math.max(0, (at + 0.5) * patch - side / 2));
const [row, column] = [corner(y, reel.size.height - side), corner(x, reel.size.width - side)];
reel.throw([first + digit % count, row, column, down, right]);
}
step() {
const { film: { steps } } = this.description;
if ((this.stepCount - this.reel.began) % steps === 0) this.look();
super.step();
}
look() {
const { reel, area, seenAt, first, description: { film, fixed, visible, channels } } = this;
const windows = film.state === "window";
const begins = reel.frame < 0;
const count = begins ? first + 1 : film.shift;
const alone = !begins && reel.isAlone(reel.frame + count);
const { walls } = this;
if (alone && windows) this.forCells((cells, at) => clamp(cells, at + seenAt, film.seen * area));
if (alone && !windows) {
this.forCells((cells, at) => {
cells.copyWithin(at + seenAt + area, at + seenAt, at + seenAt + (film.seen - 1) * area);
cells.copyWithin(at + seenAt, at + fixed, at + fixed + area);
clamp(cells, at + seenAt, area);
});
}
for (let i = 0; i < count; i++) {
reel.advance(walls);
const news = alone && reel.news(NEWS);
if (news) this.add(news, count - 1 - i);
}
if (!alone) {
reel.past.forEach((frame, slot) =>
this.forPixels(slot, (cells, at, pixel) => { cells[at] = frame[pixel] / 255; }));
}
this.forCells((cells, at) => {
if (!windows) cells.copyWithin(at + fixed, at + seenAt, at + seenAt + visible);
if (windows ? !alone : film.state === "fresh") cells.fill(0, at + fixed + visible, at + channels);
});
}
forCells(change) {
const { cells, cellCount, stride } = this;
for (let i = 0; i < cellCount; i++) change(cells, i * stride, i);
}
add(frame, slot) {
this.forPixels(slot, (cells, at, pixel) => { cells[at] = Math.max(cells[at], frame[pixel] / 255); });
}
forPixels(slot, change) {
const { seenAt, area } = this;
this.forArea(seenAt + slot * area, change);
}
forArea(first, change) {
const { width, cellsToRead: cells, cellCount, stride, area, description: { film: { patch } } } = this;
for (let i = 0; i < cellCount; i++) {
const corner = (Math.floor(i / width) * width * patch + i % width) * patch;
for (let k = 0; k < area; k++) {
const pixel = corner + Math.floor(k / patch) * width * patch + k % patch;
change(cells, i * stride + first + k, pixel);
}
}
}
get walls() {
const { reel, description: { film, fixed }, area } = this;
if (!film.walls) return null;
const numbers = new Float32Array(reel.length);
this.forArea(fixed - area, (cells, at, pixel) => { numbers[pixel] = cells[at]; });
return numbers.some((value) => value > 0) ? { numbers, width: reel.size.width } : null;
}
get told() {
const numbers = new Float32Array(this.reel.length);
this.forArea(this.description.fixed, (cells, at, pixel) => { numbers[pixel] = cells[at]; });
return numbers;
}
get scene() {
const { reel, first, description: { film: { shift } } } = this;
const begins = reel.frame < 0;
return {
frame: begins ? first : reel.frame + shift,
alone: !begins && reel.isAlone(reel.frame),
news: !begins && reel.news(NEWS) !== null,
next: !begins && reel.isAlone(reel.frame + shift),
};
}
get truth() {
const { reel, first, walls, description: { film } } = this;
return reel.later(reel.frame < 0 ? first + 1 : film.shift, walls);
}
}
const clamp = (cells, at, count) => {
for (let i = at; i < at + count; i++) cells[i] = Math.min(1, Math.max(0, cells[i]));
};
const VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4. - 1., 0, 1); }`;
const each = (count, line) => Array.from({ length: count }, (_, i) => line(i)).join("\n");
const number = (value) => value.toExponential();
const vectors = (count) => Math.ceil(count / 4);
const prelude = ({ height, width }, outs) => `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2DArray;
uniform sampler2DArray from, to, mask;
uniform int first;
layout(location = 0) out vec4 o[${outs}];
const ivec2 SIZE = ivec2(${width}, ${height});
#define cell ivec2(gl_FragCoord.xy)
#define at(texels, p, layer) texelFetch(texels, ivec3(p, layer), 0)
#define within(count, layer) lessThan(ivec4(0, 1, 2, 3) + 4 * (layer), ivec4(count))
#define square(r) for (int y = -r; y <= r; y++) for (int x = -r; x <= r; x++)
ivec2 wrap(ivec2 p) { return (p + SIZE) % SIZE; }
bool left_out(int near) {
square(near) if (at(mask, wrap(cell + ivec2(x, y)), 0).x > 0.) return false;
return true;
}
`;
const main = (outs, near, before = "") => `
void main() {
${near === undefined ? "" : `if (left_out(${near})) discard;`}
${before}
${each(outs, (i) => `o[${i}] = layer(first + ${i});`)}
}`;
const living = (buffer, p, d) => `at(${buffer}, ${p}, ${d.living >> 2})[${d.living & 3}]`;
const maskShader = (d) => `
uniform uvec3 clock;
void main() {
uvec2 p = uvec2(cell);
uint h = (p.x * 0x8da6b343u) ^ (p.y * 0xd8163841u) ^ (clock.x * 0xcb1ab31fu) ^ clock.y;
h = (h ^ (h >> 16)) * 0x7feb352du;
h = (h ^ (h >> 15)) * 0x846ca68bu;
h = (h ^ (h >> 16)) >> 8;
bool lives = ${d.living_threshold === null}, relevant = lives;
${d.living_threshold === null ? "" : `square(2)
if (${living("from", "wrap(cell + ivec2(x, y))", d)} > ${number(d.living_threshold)}) {
relevant = true;
lives = lives || max(abs(x), abs(y)) < 2;
}`}
o[0] = vec4(relevant && h < clock.z, lives, 0, 0);
}`;
const choice = (d) => (d.rules ? `
uniform sampler2DArray rules;
uniform int rule;
#define NOT_MINE rule > 0 && int(at(rules, cell, 0).x) != rule` : `
#define NOT_MINE false`);
const applyShader = (d, outs) => `${choice(d)}
bool lives = true;
vec4 layer(int l) {
vec4 s = at(from, cell, l);
if (l < ${vectors(d.channels)} && at(mask, cell, 0).x > 0.) s += at(to, cell, l);
return lives ? s : mix(mix(s, vec4(0), within(${d.channels}, l)), s, within(${d.fixed}, l));
}
${main(outs, undefined, d.living_threshold === null ? "if (NOT_MINE) discard;" : `lives = false;
if (at(mask, cell, 0).y > 0.) square(1) {
ivec2 p = wrap(cell + ivec2(x, y));
float a = ${living("from", "p", d)};
if (at(mask, p, 0).x > 0.) a += ${living("to", "p", d)};
lives = lives || a > ${number(d.living_threshold)};
}`)}`;
const packShader = (layers) => `
void main() { o[0] = at(from, ivec2(cell.x / ${layers}, cell.y), cell.x % ${layers}); }`;
const unpackShader = (layers, outs) => `
vec4 layer(int l) { return at(from, ivec2(cell.x * ${layers} + l, cell.y), 0); }
${main(outs)}`;
const sizeShader = (d) => `${choice(d)}
void main() {
if (NOT_MINE) discard;
vec4 sum = vec4(0);
float computed = at(mask, cell, 0).x;
for (int l = 0; l < ${vectors(d.channels)}; l++) sum += at(from, cell, l) * at(from, cell, l);
o[0] = vec4(computed > 0. ? sqrt(dot(sum, vec4(1))) : 0., computed, 0, 0);
}`;
const convShader = (op, outs, corner = [-(op.kernel >> 1), -(op.kernel >> 1)]) => `
layout(std140) uniform Weights { mat4 w[${op.kernel ** 2 * vectors(op.in) * outs}]; };
uniform vec4 table[${outs}];
void main() {
${op.near === undefined ? "" : `if (left_out(${op.near})) discard;`}
int i = 0;
${each(outs, (i) => `vec4 s${i} = table[${i}]${
op.add ? ` + at(to, cell, ${op.offset / 4} + first + ${i})` : ""};`)}
for (int n = 0; n < ${op.kernel ** 2}; n++) {
ivec2 p = wrap(cell + ${op.dilation} * (ivec2(n % ${op.kernel}, n / ${op.kernel}) + ivec2(${corner[1]}, ${corner[0]})));
for (int l = 0; l < ${vectors(op.in)}; l++, i += ${outs}) {
vec4 v = at(from, p, l);
${each(outs, (i) => `s${i} += w[i + ${i}] * v;`)}
}
}
${each(outs, (i) => `o[${i}] = max(s${i}, s${i} * ${number(op.slope)});`)}
}`;
const bankShader = (op, outs, layers) => `
uniform vec4 table[${vectors(9 * op.filters)}];
vec4 layer(int l) {
vec4 sum = vec4(0);
int k = l / ${layers} * 9;
square(1) {
if (k < ${9 * op.filters}) sum += table[k >> 2][k & 3] * at(from, wrap(cell + ivec2(x, y)), l % ${layers});
k++;
}
return sum;
}
${main(outs, op.near)}`;
const attendShader = (op, outs) => {
const [layers, neighbours] = [op.size / 4, op.kernel ** 2];
return `
uniform vec4 table[${vectors(neighbours)}];
void main() {
if (left_out(${op.near})) discard;
int head = first / ${layers} * ${layers}, n = 0;
float weight[${neighbours}], most = -1e30, total = 0.;
square(${op.kernel >> 1}) {
ivec2 p = wrap(cell + ivec2(x, y));
vec4 sum = vec4(0);
for (int l = head; l < head + ${layers}; l++)
sum += at(from, cell, l) * at(from, p, ${op.heads * layers} + l);
weight[n] = dot(sum, vec4(1)) * ${number(op.scale)} + table[n >> 2][n & 3];
most = max(most, weight[n]);
n++;
}
${each(outs, (i) => `vec4 s${i} = vec4(0);`)}
n = 0;
square(${op.kernel >> 1}) {
ivec2 p = wrap(cell + ivec2(x, y));
float e = exp(weight[n++] - most);
total += e;
${each(outs, (i) => `s${i} += e * at(from, p, ${2 * op.heads * layers} + first + ${i});`)}
}
${each(outs, (i) => `o[${i}] = s${i} / total;`)}
}`;
};
const normShader = (op, outs) => {
const layers = vectors(op.channels);
const x = (l) => `at(from, cell, ${op.offset / 4} + ${l})`;
return `
uniform vec4 table[${2 * (layers + outs)}];
float mean, scale;
vec4 layer(int l) {
vec4 v = (${x("l")} - mean) * scale * table[l] + table[${layers + outs} + l];
return max(v, v * ${number(op.slope)});
}
${main(outs, op.near, `
vec4 sum = vec4(0), squares = vec4(0);
for (int l = 0; l < ${layers}; l++) sum += ${x("l")};
mean = dot(sum, vec4(1)) / ${number(op.channels)};
for (int l = 0; l < ${layers}; l++) {
vec4 v = (${x("l")} - mean) * vec4(within(${op.channels}, l));
squares += v * v;
}
scale = inversesqrt(dot(squares, vec4(1)) / ${number(op.channels)} + ${number(op.eps)});`)}`;
};
const geluShader = (op, outs) => `
vec4 layer(int l) {
vec4 v = at(from, cell, l), z = abs(v) * 0.70710678118654752, t = 1. / (1. + 0.3275911 * z);
vec4 y = (((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592;
return v * 0.5 * (1. + sign(v) * (1. - y * t * exp(-z * z)));
}
${main(outs, op.near)}`;
const gatherShader = (op, outs, layers) => `
float given(int k) { return at(to, cell, k >> 2)[k & 3]; }
vec4 layer(int l) {
int tap = l / ${layers}, q = l % ${layers};
ivec2 place = cell + ivec2(tap % ${op.kernel}, tap / ${op.kernel}) - ${op.kernel >> 1};
vec2 point = vec2(place) + vec2(given(2 * tap + 1), given(2 * tap)), b = fract(point), a = 1. - b;
vec2 corner = floor(point);
ivec2 p = wrap(ivec2(corner - vec2(SIZE) * floor(corner / vec2(SIZE)))), r = wrap(p + 1);
vec4 sum = a.y * (a.x * at(from, p, q) + b.x * at(from, ivec2(r.x, p.y), q)) +
b.y * (a.x * at(from, ivec2(p.x, r.y), q) + b.x * at(from, r, q));
return sum * 2. / (1. + exp(-given(${2 * op.kernel ** 2} + tap)));
}
${main(outs, op.near)}`;
const weaveShader = (outs, layers) => `
vec4 layer(int l) { return at(from, cell / 2, ((cell.y & 1) * 2 + (cell.x & 1)) * ${layers} + l); }
${main(outs)}`;
const rowsShader = (width, layers) => `
void main() {
int l = first % ${layers};
vec4 mean = vec4(0), apart = vec4(0);
for (int x = 0; x < ${width}; x++) mean += at(from, ivec2(x, cell.y), l);
mean /= ${number(width)};
for (int x = 0; x < ${width}; x++) {
vec4 v = at(from, ivec2(x, cell.y), l) - mean;
apart += v * v;
}
o[0] = first < ${layers} ? mean : apart;
}`;
const groupsShader = (op, { height, width }, layers) => {
const size = op.channels / op.groups;
return `
uniform vec4 table[${2 * layers}];
float row(int y, int c, int part) { return at(from, ivec2(0, y), part + (c >> 2))[c & 3]; }
void main() {
int l = first % ${layers};
for (int k = 0; k < 4; k++) {
int group = (4 * l + k) / ${size} * ${size};
float mean = 0., apart = 0.;
for (int c = group; c < group + ${size}; c++)
for (int y = 0; y < ${height}; y++) mean += row(y, c, 0);
mean /= ${number(size * height)};
for (int c = group; c < group + ${size}; c++)
for (int y = 0; y < ${height}; y++) {
float away = row(y, c, 0) - mean;
apart += row(y, c, ${layers}) + ${number(width)} * away * away;
}
float times = table[l][k] * inversesqrt(apart / ${number(size * height * width)} + ${number(op.eps)});
o[0][k] = first < ${layers} ? times : table[${layers} + l][k] - mean * times;
}
}`;
};
const scaleShader = (op, outs, layers) => `
vec4 layer(int l) {
vec4 v = at(from, cell, l) * at(to, ivec2(0), l) + at(to, ivec2(0), ${layers} + l);
return max(v, v * ${number(op.slope)});
}
${main(outs)}`;
const pointsShader = (layers, outs) => `
uniform sampler2DArray rows, columns;
uniform vec4 table[${5 * outs + 1}];
layout(std140) uniform Weights { mat4 w[${layers * outs}]; };
vec4 wave(vec4 x) {
vec4 v = 0.25 - abs(x - round(x)), s = v * v;
return v * (((-70.9934310913086 * s + 81.34076690673828) * s - 41.33714294433594) * s + 6.283164024353027);
}
void main() {
vec4 down = at(rows, ivec2(cell.y, 0), 0), right = at(columns, ivec2(cell.x, 0), 0);
ivec2 p = ivec2(right.x, down.x), q = ivec2(right.y, down.y);
${each(layers, (l) => `vec4 a${l} = wave(at(rows, ivec2(cell.y, ${1 + l}), 0) + at(columns, ivec2(cell.x, ${1 + l}), 0) +
mix(mix(at(from, p, ${l}), at(from, ivec2(p.x, q.y), ${l}), down.z),
mix(at(from, ivec2(q.x, p.y), ${l}), at(from, q, ${l}), down.z), right.z));`)}
o[0] = first > 0 ? at(to, cell, 0) : table[${5 * outs}];
for (int i = 0; i < ${outs}; i++) {
vec4 s = table[i];
${each(layers, (l) => `s += w[${l * outs} + i] * a${l};`)}
s = wave(s);
for (int k = 0; k < 4; k++) o[0] += s[k] * table[${outs} + 4 * i + k];
}
}`;
const NO_ANSWER = Math.fround(-1.2345e-37);
function openContext(careful = true) {
const options = { failIfMajorPerformanceCaveat: careful };
const gl = new OffscreenCanvas(1, 1).getContext("webgl2", options);
if (!gl?.getExtension("EXT_color_buffer_float")) {
throw new Error("live figure: no WebGL2 that computes with floats");
}
return gl;
}
class Gpu {
constructor(gl, grid) {
Object.assign(this, { gl, grid });
this.programs = new Map();
}
buffer(layers, format = this.gl.RGBA32F, width = this.grid.width) {
const { gl } = this;
const texture = gl.createTexture();
gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture);
gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, format, width, this.grid.height, layers);
for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
gl.texParameteri(gl.TEXTURE_2D_ARRAY, filter, gl.NEAREST);
}
return { texture, width, targets: new Map() };
}
target({ texture, targets }, first, count) {
const { gl } = this;
const key = `${first} ${count}`;
const known = targets.get(key) ?? gl.createFramebuffer();
gl.bindFramebuffer(gl.FRAMEBUFFER, known);
if (targets.has(key)) return;
targets.set(key, known);
const points = Array.from({ length: count }, (_, i) => gl.COLOR_ATTACHMENT0 + i);
points.forEach((point, i) =>
gl.framebufferTextureLayer(gl.FRAMEBUFFER, point, texture, 0, first + i));
gl.drawBuffers(points);
const status = gl.checkFramebufferStatus(gl.FRAMEBUFFER);
if (status !== gl.FRAMEBUFFER_COMPLETE && !gl.isContextLost()) {
throw new Error(`live figure: this device cannot draw on ${count} layers (${status})`);
}
}
program(body, outs = 1) {
const source = prelude(this.grid, outs) + body;
if (!this.programs.has(source)) this.programs.set(source, this.compile(source));
return this.programs.get(source);
}
compile(source) {
const { gl } = this;
const program = gl.createProgram();
const shaders = [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, source]].map(([kind, text]) => {
const shader = gl.createShader(kind);
gl.shaderSource(shader, text);
gl.compileShader(shader);
gl.attachShader(program, shader);
return shader;
});
gl.linkProgram(program);
if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
const why = [...shaders.map((s) => gl.getShaderInfoLog(s)), gl.getProgramInfoLog(program)];
throw new Error(`live figure: a shader was not compiled: ${why.join(" ")}`);
}
const places = {};
for (let i = 0; i < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); i++) {
const name = gl.getActiveUniform(program, i).name.replace("[0]", "");
places[name] = gl.getUniformLocation(program, name);
}
return { program, places };
}
draw({ program, places }, to, first, count, values, where) {
const { gl } = this;
gl.useProgram(program);
let unit = 0;
for (const [name, value] of Object.entries(values)) {
const place = places[name];
if (place === undefined) continue;
if (value.texture) {
gl.activeTexture(gl.TEXTURE0 + unit);
gl.bindTexture(gl.TEXTURE_2D_ARRAY, value.texture);
gl.uniform1i(place, unit++);
} else if (value instanceof Float32Array) gl.uniform4fv(place, value);
else if (value instanceof Uint32Array) gl.uniform3uiv(place, value);
else gl.uniform1i(place, value);
}
if (values.weights) gl.bindBufferBase(gl.UNIFORM_BUFFER, 0, values.weights);
this.target(to, first, count);
gl.viewport(0, 0, to.width, this.grid.height);
if (where) {
gl.enable(gl.SCISSOR_TEST);
gl.scissor(where.column, where.row, 1, 1);
}
gl.drawArrays(gl.TRIANGLES, 0, 3);
if (where) gl.disable(gl.SCISSOR_TEST);
}
copy(from, to, first, count) {
const { gl, grid } = this;
for (let i = 0; i < count; i++) {
this.target(from, i, 1);
gl.bindTexture(gl.TEXTURE_2D_ARRAY, to.texture);
gl.copyTexSubImage3D(
gl.TEXTURE_2D_ARRAY, 0, 0, 0, first + i, 0, 0, grid.width, grid.height);
}
}
read(buffer) {
const { gl, grid } = this;
const numbers = new Float32Array(4 * buffer.width * grid.height).fill(NO_ANSWER, 0, 1);
this.target(buffer, 0, 1);
gl.readPixels(0, 0, buffer.width, grid.height, gl.RGBA, gl.FLOAT, numbers);
return gl.isContextLost() || numbers[0] === NO_ANSWER ? null : numbers;
}
write(buffer, numbers) {
const { gl, grid } = this;
gl.bindTexture(gl.TEXTURE_2D_ARRAY, buffer.texture);
gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, 0, buffer.width, grid.height, 1,
gl.RGBA, gl.FLOAT, numbers);
}
wait(buffer) {
this.target(buffer, 0, 1);
this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
}
matrices(numbers, buffer = this.gl.createBuffer()) {
const { gl } = this;
gl.bindBuffer(gl.UNIFORM_BUFFER, buffer);
gl.bufferData(gl.UNIFORM_BUFFER, numbers, gl.STATIC_DRAW);
return buffer;
}
}
const OUTPUTS = 4;
const MATRIX_BYTES = 64;
const parts = (total, most, values = () => () => ({})) =>
Array.from({ length: Math.ceil(total / most) }, (_, i) => {
const first = i * most;
return { first, count: Math.min(most, total - first), values: values(first) };
});
function table(numbers, length = padded(numbers.length)) {
const all = new Float32Array(length);
all.set(numbers);
return all;
}
function room(gpu, size, most) {
const outs = Math.min(most, Math.floor(gpu.gl.getParameter(gpu.gl.MAX_UNIFORM_BLOCK_SIZE) / MATRIX_BYTES / size));
if (outs === 0) throw new Error("live figure: a kernel is too large for this device");
return outs;
}
function matrices(op, kernel, first, outs) {
const inputs = padded(op.in) / 4;
const result = new Float32Array(16 * op.kernel ** 2 * inputs * outs);
for (let row = 0; row < op.kernel ** 2 * op.in; row++) {
const [tap, input] = [Math.floor(row / op.in), row % op.in];
for (let o = 4 * first; o < Math.min(op.out, 4 * (first + outs)); o++) {
const matrix = (tap * inputs + (input >> 2)) * outs + (o >> 2) - first;
result[16 * matrix + 4 * (input & 3) + (o & 3)] = kernel[row * op.out + o];
}
}
return result;
}
function convolution(op, kernel, bias, gpu, corner) {
const [inputs, outputs] = [padded(op.in) / 4, padded(op.out) / 4];
const outs = room(gpu, op.kernel ** 2 * inputs, Math.min(OUTPUTS, outputs));
const buffers = new Map();
return {
program: gpu.program(convShader(op, outs, corner), outs),
turn: op.kernel === 1 ? undefined : ((degrees) => {
const numbers = turned(kernel, op.kernel, op.in * op.out, degrees);
for (const [first, buffer] of buffers) gpu.matrices(matrices(op, numbers, first, outs), buffer);
}),
parts: parts(outputs, outs, (first) => {
const weights = gpu.matrices(matrices(op, kernel, first, outs));
buffers.set(first, weights);
const rows = Array.from({ length: op.bias_rows }, (_, row) => table(
bias.subarray(row * op.out + 4 * first, Math.min((row + 1) * op.out,
row * op.out + 4 * (first + outs))), 4 * outs));
return (classIndex) => ({ weights, table: rows[op.bias_rows > 1 ? classIndex : 0] });
}),
};
}
const OPERATIONS = {
conv(op, bytes, gpu) {
const kernel = decodeHalf(bytes, op.weight, op.kernel ** 2 * op.in * op.out);
return convolution(op, kernel, decodeFloat(bytes, op.bias, op.bias_rows * op.out), gpu);
},
bank(op, bytes, gpu, layers) {
const given = decodeFloat(bytes, op.weight, 9 * op.filters);
const filters = table(given);
return {
turn: (degrees) => filters.set(turned(given, 3, 1, degrees)),
program: gpu.program(bankShader(op, OUTPUTS, layers(op.from)), OUTPUTS),
parts: parts(op.filters * layers(op.from), OUTPUTS, () => () => ({ table: filters })),
};
},
attend(op, bytes, gpu) {
const [layers, neighbours] = [op.size / 4, op.kernel ** 2];
const outs = Math.min(OUTPUTS, layers);
return {
program: gpu.program(attendShader(op, outs), outs),
parts: Array.from({ length: op.heads }, (_, head) => {
const at = op.position + 4 * head * neighbours;
const positions = table(decodeFloat(bytes, at, neighbours),
padded(neighbours));
return parts(layers, outs, () => () => ({ table: positions }))
.map((part) => ({ ...part, first: head * layers + part.first }));
}).flat(),
};
},
norm(op, bytes, gpu) {
const [layers, outs] = [padded(op.channels) / 4, OUTPUTS];
const [weight, bias] = [op.weight, op.bias].map((at) =>
table(decodeFloat(bytes, at, op.channels), 4 * (layers + outs)));
const both = Float32Array.of(...weight, ...bias);
return {
program: gpu.program(normShader(op, outs), outs),
parts: parts(layers, outs, () => () => ({ table: both })),
};
},
gelu: (op, _, gpu) => ({
program: gpu.program(geluShader(op, OUTPUTS), OUTPUTS),
parts: parts(padded(op.channels) / 4, OUTPUTS),
}),
gather: (op, _, gpu, layers) => ({
program: gpu.program(gatherShader(op, OUTPUTS, layers(op.from)), OUTPUTS),
parts: parts(op.kernel ** 2 * layers(op.from), OUTPUTS),
}),
};
class GuidedEngine extends Engine {
static async create(description, weights, fast = true) {
checkDescription(description, weights);
const { free, ...rest } = description;
const other = await Engine.create({ ...rest, seeds: rest.seeds.map(() => free) }, weights, fast);
const engine = await super.create(description, weights, fast);
engine.other = other;
return engine;
}
get both() {
return [this, ...(this.other ? [this.other] : [])];
}
step() {
const { other, weight, stride } = this;
const { fixed, channels } = this.description;
const before = weight === 1 ? null : this.both.map((engine) => engine.cellsToRead.slice());
other.fireRate = this.fireRate;
super.step();
other.step();
if (before === null) return;
const [own, free] = before;
const [after, freely] = this.both.map((engine) => engine.cells);
for (let at = 0; at < own.length; at += stride) {
for (let i = at + fixed; i < at + channels; i++) {
const change = freely[i] - free[i];
after[i] = own[i] + change + weight * (after[i] - own[i] - change);
}
}
}
get state() {
const states = this.both.map((engine) => (engine === this ? super.state : engine.state));
const whole = new Float32Array(states.length * states[0].length);
states.forEach((state, i) => whole.set(state, i * state.length));
return whole;
}
fits(rest) {
return rest.length === 0 || (rest.length === this.cellCount * this.channels && rest.every(Number.isFinite));
}
restore(state, stepCount, planted = []) {
const length = this.cellCount * this.channels;
super.restore(state.subarray(0, length), stepCount, planted);
this.other?.restore(state.length > length ? state.subarray(length) : state, stepCount, planted);
}
reset() {
super.reset();
this.other?.reset();
}
setClass(index) {
super.setClass(index);
this.other?.setClass(index);
}
choose(index) {
super.choose(index);
this.other?.choose(index);
}
plant(x, y) {
super.plant(x, y);
this.other?.plant(x, y);
}
erase(where) {
super.erase(where);
this.other?.erase(where);
}
disturb(where) {
super.disturb(where);
this.other?.disturb(where);
}
paint(where) {
super.paint(where);
this.other?.paint(where);
}
graft(where) {
super.graft(where);
this.other?.graft(where);
}
}
class GpuDecoder {
constructor(gl, { description, decoder: { stride } }, bytes) {
const { height, width, decoder: { scales, buffers, ops } } = description;
this.grids = new Map(scales.map((scale) =>
[scale, new Gpu(gl, { height: scale * height, width: scale * width })]));
this.one = new Gpu(gl, { height: 1, width: 1 });
this.gpus = [new Gpu(gl, { height, width }), ...scales.map((scale) => this.grids.get(scale))];
this.layers = [0, ...buffers.map((size) => size / 4)];
this.buffers = buffers.map((size, i) => this.gpus[i + 1].buffer(size / 4));
this.runs = ops.map((op) => this[op.kind](op, bytes, this.gpus[op.to], this.layers[op.to]));
this.result = { to: ops.at(-1).to, stride };
}
decode(state) {
const textures = [state, ...this.buffers];
for (const run of this.runs) run(textures);
const { to, stride } = this.result;
const gpu = this.gpus[to];
const numbers = gpu.read(textures[to]);
return numbers && { numbers, stride, ...gpu.grid };
}
conv(op, bytes, gpu) {
const { program, parts: all } = OPERATIONS.conv({ ...op, near: undefined }, bytes, gpu);
return (textures) => all.forEach(({ first, count, values }) =>
gpu.draw(program, textures[op.to], op.offset / 4 + first, count,
{ from: textures[op.from], first, ...values(0) }));
}
doubling(op, bytes, gpu, layers) {
const small = this.gpus[op.from];
const four = small.buffer(4 * layers);
const bias = decodeFloat(bytes, op.bias, op.out);
const plain = { ...op, near: undefined, kernel: 2, dilation: 1, slope: 1, add: false, bias_rows: 1 };
const kernels = parityKernels(decodeHalf(bytes, op.weight, 9 * op.in * op.out), op)
.map((kernel, n) => convolution(plain, kernel, bias, small, [(n >> 1) - 1, (n & 1) - 1]));
const weave = gpu.program(weaveShader(OUTPUTS, layers), OUTPUTS);
return (textures) => {
const from = textures[op.from];
kernels.forEach(({ program, parts: all }, n) => all.forEach(({ first, count, values }) =>
small.draw(program, four, n * layers + first, count, { from, first, ...values(0) })));
for (const { first, count } of parts(layers, OUTPUTS)) {
gpu.draw(weave, textures[op.to], first, count, { from: four, first });
}
};
}
groups(op, bytes, gpu, layers) {
const { height, width } = gpu.grid;
const [weight, bias] = [op.weight, op.bias].map((at) =>
table(decodeFloat(bytes, at, op.channels), 4 * layers));
const both = Float32Array.of(...weight, ...bias);
const [rows, sums] = [gpu.buffer(2 * layers, gpu.gl.RGBA32F, 1), this.one.buffer(2 * layers)];
const scratch = gpu.buffer(layers);
const programs = [
gpu.program(rowsShader(width, layers)),
this.one.program(groupsShader(op, { height, width }, layers)),
gpu.program(scaleShader(op, OUTPUTS, layers), OUTPUTS),
];
return (textures) => {
const from = textures[op.to];
for (let first = 0; first < 2 * layers; first++) gpu.draw(programs[0], rows, first, 1, { from, first });
for (let first = 0; first < 2 * layers; first++) {
this.one.draw(programs[1], sums, first, 1, { from: rows, first, table: both });
}
for (const { first, count } of parts(layers, OUTPUTS)) {
gpu.draw(programs[2], scratch, first, count, { from, to: sums, first });
}
gpu.copy(scratch, from, 0, layers);
};
}
}
const MOST_OUTPUTS = 32;
class GpuPoints {
constructor(gpu, engine) {
const { local, description: { channels } } = engine;
const { hidden, stride } = local;
const layers = stride / 4;
const place = (at, rows, columns) => engine.floats(at, rows * columns).slice();
const layer = (inputs, out) => ({ kernel: 1, dilation: 1, in: inputs, out, slope: 1, bias_rows: 1 });
this.cells = gpu.buffer(layers);
this.first = convolution(layer(channels, stride), place(local.first, channels, stride),
place(local.firstBias, 1, stride), gpu);
const side = { height: MOST_PIXELS, width: MOST_PIXELS };
this.pixels = new Gpu(gpu.gl, side);
this.sides = new Gpu(gpu.gl, { ...side, height: 1 + layers });
[this.rows, this.columns] = [0, 1].map(() => this.sides.buffer(1));
this.pictures = [0, 1].map(() => this.pixels.buffer(1));
const outs = room(gpu, layers, Math.min(MOST_OUTPUTS, layers));
const second = place(local.second, hidden, stride);
const bias = place(local.secondBias, 1, stride);
const last = place(local.last, hidden, 4);
this.program = this.pixels.program(pointsShader(layers, outs));
this.parts = parts(layers, outs, (first) => ({
weights: gpu.matrices(matrices(layer(hidden, stride), second, first, outs)),
table: Float32Array.of(
...table(bias.subarray(4 * first, 4 * (first + outs)), 4 * outs),
...table(last.subarray(16 * first, 16 * (first + outs)), 16 * outs),
...place(local.lastBias, 1, 4),
),
}));
Object.assign(this, { gpu, engine, local, layers });
}
aim() {
const { local, pixels, pictures } = this;
const { rows, columns } = this.window = local.window;
pixels.grid = { height: rows, width: columns };
for (const picture of pictures) picture.width = columns;
this.lay(this.rows, local.rows, rows);
this.lay(this.columns, local.columns, columns);
}
lay(to, { cells, shares, places }, pixels) {
const { engine, layers, local: { stride } } = this;
const around = new Int32Array(engine.memory.buffer, cells, 2 * pixels);
const share = engine.floats(shares, pixels);
const added = engine.floats(places, pixels * stride);
const numbers = new Float32Array(4 * (1 + layers) * MOST_PIXELS);
for (let i = 0; i < pixels; i++) {
numbers.set([around[2 * i], around[2 * i + 1], share[i]], 4 * i);
for (let l = 0; l < layers; l++) {
const at = i * stride + 4 * l;
numbers.set(added.subarray(at, at + 4), 4 * ((1 + l) * MOST_PIXELS + i));
}
}
this.sides.write(to, numbers);
}
decode(state) {
const { gpu, pixels, cells, first: { program, parts: all }, rows, columns } = this;
if (this.window !== this.local.window) this.aim();
for (const { first, count, values } of all) {
gpu.draw(program, cells, first, count, { from: state, first, ...values(0) });
}
let [picture, before] = this.pictures;
for (const { first, values } of this.parts) {
[picture, before] = [before, picture];
pixels.draw(this.program, picture, 0, 1, { from: cells, to: before, rows, columns, first, ...values });
}
const numbers = pixels.read(picture);
return numbers && { numbers, stride: 4, ...pixels.grid, window: this.window };
}
}
const STEPS_AHEAD = 8;
class GpuEngine extends Engine {
static async create(description, weights, gl = openContext()) {
const engine = await super.create(description, weights);
engine.attach(new Gpu(gl, description), weights);
return engine;
}
attach(gpu, weights) {
const { description, strides } = this;
const [layers] = strides.map((stride) => stride / 4);
const { gl } = gpu;
this.textures = strides.map((stride) => gpu.buffer(stride / 4));
this.next = gpu.buffer(layers);
this.mask = gpu.buffer(1, gl.RGBA8);
this.packed = gpu.buffer(1, gl.RGBA32F, layers * this.width);
this.sizes = gpu.buffer(1);
this.ruleTexture = gpu.buffer(1);
this.operations = description.ops.map((op) => ({
from: op.from ?? op.to,
to: op.to,
aside: op.where ?? op.to,
inPlace: op.add === true || op.from === undefined || op.from === op.to,
offset: (op.offset ?? 0) / 4,
...OPERATIONS[op.kind](op, weights, gpu, (buffer) => strides[buffer] / 4),
}));
this.changesOf = rulesOf(description).map((ops) => ops.at(-1).to);
const inPlace = this.operations.filter((operation) => operation.inPlace);
this.scratch = gpu.buffer(Math.max(1, ...inPlace.map(({ to }) => strides[to] / 4)));
this.programs = {
mask: gpu.program(maskShader(description)),
apply: gpu.program(applyShader(description, OUTPUTS), OUTPUTS),
pack: gpu.program(packShader(layers)),
unpack: gpu.program(unpackShader(layers, OUTPUTS), OUTPUTS),
sizes: gpu.program(sizeShader(description)),
};
this.stateParts = parts(layers, OUTPUTS);
for (const operation of this.operations) operation.turn?.(this.degrees);
this.gpuDecoder = this.local ? new GpuPoints(gpu, this) : this.decoder && new GpuDecoder(gl, this, weights);
this.gpu = gpu;
this.ahead = false;
this.edited = true;
}
detach() {
this.gpu.gl.getExtension("WEBGL_lose_context")?.loseContext();
this.gpu = null;
}
get backend() {
return this.gpu ? "WebGL2" : super.backend;
}
get cells() {
const cells = this.cellsToRead;
this.edited = true;
return cells;
}
get cellsToRead() {
if (this.ahead) this.download();
return super.cells;
}
download() {
const { gpu, packed, textures } = this;
this.ahead = false;
gpu.draw(this.programs.pack, packed, 0, 1, { from: textures[0] });
const numbers = gpu.read(packed);
if (numbers === null) {
const wanted = this.stepCount;
this.stepCount = this.known;
this.detach();
while (this.stepCount < wanted) super.step();
} else {
super.cells.set(numbers);
this.known = this.stepCount;
}
}
upload() {
this.gpu.write(this.packed, this.cellsToRead);
if (this.description.rules) {
const numbers = new Float32Array(4 * this.cellCount);
this.ruleMap.forEach((rule, i) => { numbers[4 * i] = rule; });
this.gpu.write(this.ruleTexture, numbers);
}
this.drawState(this.programs.unpack, this.textures[0], { from: this.packed });
this.edited = false;
this.known = this.stepCount;
}
drawState(program, to, values) {
for (const { first, count } of this.stateParts) {
this.gpu.draw(program, to, first, count, { first, ...values });
}
}
step() {
if (!this.gpu) return super.step();
if (this.edited) this.upload();
const { gpu, mask, textures, programs, scratch } = this;
const drawMask = (limit, where) => {
const clock = Uint32Array.of(this.stepCount, this.description.seed, limit);
gpu.draw(programs.mask, mask, 0, 1, { from: textures[0], clock }, where);
};
drawMask(Math.floor(this.fireRate * 2 ** 24));
for (const [row, column, fires] of this.decided) drawMask(fires ? 2 ** 24 : 0, { row, column });
for (const { program, parts: all, inPlace, offset, ...names } of this.operations) {
const [from, to, aside] = [names.from, names.to, names.aside].map((i) => textures[i]);
for (const { first, count, values } of all) {
gpu.draw(program, inPlace ? scratch : to, inPlace ? first : offset + first, count,
{ from, to: aside, mask, first, ...values(this.classIndex) });
}
const { first, count } = all.at(-1);
if (inPlace) gpu.copy(scratch, to, offset, first + count);
}
this.changesOf.forEach((change, rule) => this.drawState(programs.apply, this.next,
{ from: textures[0], to: textures[change], mask, rules: this.ruleTexture, rule }));
[textures[0], this.next] = [this.next, textures[0]];
this.stepCount += 1;
this.ahead = true;
if (this.stepCount % STEPS_AHEAD === 0) gpu.wait(mask);
return undefined;
}
turn(degrees) {
if (this.gpu && degrees !== this.degrees) {
void this.cellsToRead;
for (const operation of this.operations) operation.turn?.(degrees);
}
super.turn(degrees);
}
graft(event) {
void this.cellsToRead;
super.graft(event);
this.edited = true;
}
decode() {
if (this.gpu && this.edited) this.upload();
const picture = this.gpu && this.gpuDecoder.decode(this.textures[0]);
if (picture) return picture;
void this.cellsToRead;
if (this.gpu) this.detach();
return super.decode();
}
get last() {
const { gpu, sizes, mask, textures } = this;
this.changesOf.forEach((change, rule) => gpu.draw(this.programs.sizes, sizes, 0, 1,
{ from: textures[change], mask, rules: this.ruleTexture, rule }));
return gpu.read(sizes) ?? new Float32Array(4 * this.cellCount);
}
get changes() {
return this.gpu ? this.last.filter((_, i) => i % 4 === 0) : super.changes;
}
get fired() {
return this.gpu ? this.last.filter((_, i) => i % 4 === 1) : super.fired;
}
}
const LARGE = 128;
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render|warp/i;
const NAMELESS = /^(webkit webgl|mozilla)?$/i;
const ROUNDS = 3;
const STEPS = 4;
const PATIENCE = 100;
const TOLERANCE = 1e-4;
function rendererName(gl) {
const name = String(gl.getParameter(gl.RENDERER) ?? "");
const info = NAMELESS.test(name) && gl.getExtension("WEBGL_debug_renderer_info");
return info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL) ?? "") : name;
}
const isDevice = (name) => !SOFTWARE.test(name) && !NAMELESS.test(name);
const pixelsOf = ({ decoder, height, width }) =>
(decoder?.kind === "local" ? Math.floor(MOST_PIXELS / Math.max(height, width)) : decoder?.scale ?? 1);
async function createEngine(description, weights, force) {
const large = pixelsOf(description ?? {}) * Math.min(description?.height, description?.width) >= LARGE;
if (description?.film) return FilmEngine.create(description, weights);
if (description?.free) return GuidedEngine.create(description, weights);
if (force === "webgl") return GpuEngine.create(description, weights, openContext(false));
if (force === "wasm" || !large) return Engine.create(description, weights);
try {
const gl = openContext();
if (isDevice(rendererName(gl))) {
const engine = await GpuEngine.create(description, weights, gl);
keepTheFaster(engine);
return engine;
}
gl.getExtension("WEBGL_lose_context")?.loseContext();
} catch {
}
return Engine.create(description, weights);
}
function keepTheFaster(engine) {
const { gpu } = engine;
const trial = new Float32Array(engine.cellCount * engine.channels)
.map((_, i) => engine.coin(i, 0, 0, 0));
const [there, here] = [gpu, null].map((where) => {
engine.gpu = where;
engine.restore(trial, 0);
engine.step();
const picture = engine.decoder ? [...engine.decode().numbers] : [];
const numbers = [...engine.state, ...picture];
const time = duration(engine);
void engine.cellsToRead;
return { numbers, time };
});
engine.gpu = gpu;
const alike = there.numbers.every((value, i) =>
Math.abs(value - here.numbers[i]) <= TOLERANCE * (1 + Math.abs(value)));
if (!alike || here.time <= there.time) engine.detach();
engine.reset();
}
function duration(engine) {
const times = [];
const end = performance.now() + PATIENCE;
do {
const start = performance.now();
for (let i = 0; i < STEPS; i++) engine.step();
void (engine.decoder ? engine.decode() : engine.cellsToRead);
times.push(performance.now() - start);
} while (times.length < ROUNDS && performance.now() < end);
return Math.min(...times);
}
const NEGATIVE = [178, 24, 43];
const POSITIVE = [33, 102, 172];
function paint(engine, shown, ballot) {
if (shown === "picture" && ballot !== null) return votesPicture(engine, ballot);
if (engine.reel && (shown === "picture" || shown === "film")) return filmPicture(engine, shown === "film");
if (shown === "picture") return picture(engine);
if (shown === "latents") return latentsPicture(engine);
if (shown === "codes") return codesPicture(engine);
if (shown === "rules") return rulesPicture(engine);
if (shown === "critic") return criticsPicture(engine);
const { height, width, cellCount } = engine;
const data = new Uint8ClampedArray(4 * cellCount);
const values = numbers(engine, shown, ballot);
for (let i = 0; i < cellCount; i++) data.set(colour(values(i)), 4 * i);
return { data, height, width };
}
const WALL = [190, 110, 40];
function filmPicture(engine, isTrue) {
const { reel, scene, walls } = engine;
const [values, white] = isTrue ? [engine.truth, 1] : [engine.told, 255];
const data = new Uint8ClampedArray(4 * reel.length).fill(255);
for (let i = 0; i < reel.length; i++) {
const gray = white * values[i];
for (let k = 0; k < 3; k++) data[4 * i + k] = walls?.numbers[i] > 0.5 ? Math.max(gray, WALL[k]) : gray;
}
const of = isTrue ? (scene.frame < reel.frames ? "the film" : "the film is over") : !scene.alone ? "watching" : scene.news ? "alone, but for a new digit" : "alone";
return { data, ...reel.size, words: `frame ${scene.frame}, ${of}` };
}
const INK = 0.7;
const clamped = (value) => Math.min(1, Math.max(0, value));
function picture(engine) {
const { fixed, visible, decoder, erased } = engine.description;
const { numbers: from, stride, height, width, window } = decoder
? engine.decode() : Object.assign(Object.create(engine), { numbers: engine.cellsToRead });
const first = decoder ? 0 : fixed;
const opaque = (decoder?.image ?? visible) === 3;
const inked = !decoder && fixed > 0 && !erased;
const data = new Uint8ClampedArray(4 * height * width);
for (let to = 0, cell = 0; to < data.length; to += 4, cell += stride) {
const at = cell + first;
const paper = inked ? 1 - INK * clamped(from[cell]) : 1;
const white = opaque ? 0 : paper * (1 - clamped(from[at + 3]));
const light = 255 * (opaque ? paper : 1);
data[to] = light * (from[at] + white);
data[to + 1] = light * (from[at + 1] + white);
data[to + 2] = light * (from[at + 2] + white);
data[to + 3] = 255;
}
return { data, height, width, window };
}
const CLASS_COLORS = [
"#cc6677", "#332288", "#ddcc77", "#117733", "#88ccee",
"#882255", "#44aa99", "#999933", "#aa4499", "#ee7733",
].map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
const classColor = (index) => CLASS_COLORS[index % CLASS_COLORS.length];
const LEAST_INK = 0.35;
const PHOTO = 0.45;
function votesPicture({ height, width, cellCount, cellsToRead: cells, stride, description }, ballot) {
const { fixed } = description;
const data = new Uint8ClampedArray(4 * cellCount).fill(255);
for (let i = 0; i < cellCount; i++) {
const input = (k) => clamped(cells[i * stride + k]);
const vote = ballot.votes[i];
const colour = classColor(vote);
const ink = vote < 0 ? 0 : LEAST_INK + (1 - LEAST_INK) * input(0);
for (let k = 0; k < 3; k++) {
const photo = 255 * input(k);
if (fixed === 3) data[4 * i + k] = vote < 0 ? photo : PHOTO * photo + (1 - PHOTO) * colour[k];
else if (vote >= 0) data[4 * i + k] = 255 + ink * (colour[k] - 255);
}
}
return { data, height, width };
}
function rulesPicture({ height, width, cellCount, ruleMap }) {
const data = new Uint8ClampedArray(4 * cellCount).fill(255);
ruleMap.forEach((rule, i) => data.set(classColor(rule), 4 * i));
return { data, height, width };
}
const OPINION = 0.6;
function criticsPicture(engine) {
const seen = picture(engine);
const { size } = engine.critic;
const opinions = engine.critic.judge(engine);
for (let i = 0; i < engine.cellCount; i++) {
const row = Math.floor(Math.floor(i / seen.width) * size.height / seen.height);
const column = Math.floor(i % seen.width * size.width / seen.width);
const over = colour(opinions[row * size.width + column]);
for (let k = 0; k < 3; k++) {
seen.data[4 * i + k] = OPINION * over[k] + (1 - OPINION) * seen.data[4 * i + k];
}
}
return seen;
}
function numbers(engine, shown, ballot) {
const { cellsToRead: cells, stride, description } = engine;
if (shown === "changes" || shown === "fired") {
const values = engine[shown];
return (i) => values[i];
}
if (shown === "disagreement") {
const { votes, winner } = ballot;
return (i) => Number(votes[i] >= 0 && votes[i] !== winner);
}
const channel = shown === "alpha" ? description.fixed + 3 : shown;
return (i) => cells[i * stride + channel];
}
function colour(value) {
const end = value < 0 ? NEGATIVE : POSITIVE;
const share = Math.min(1, Math.abs(value) || 0);
return [...end.map((c) => 255 + share * (c - 255)), 255];
}
const SNAPSHOT_EVERY = 16;
const SAME_STROKE = 12;
const RECENT = 240;
const MOST_BYTES = 16 * 2 ** 20;
class Timeline {
constructor(engines) {
this.engines = engines;
this.begin(() => {});
}
get step() {
return this.engines[0].stepCount;
}
reset() {
const drawn = this.events.slice(0, this.applied).filter(({ kind }) => kind === "draw" || kind === "graft");
const { fixed, rules, erased } = this.engines[0].description;
const whole = this.whole || erased !== undefined;
const kept = whole ? [] : this.engines.map((engine) => engine.drawn);
const past = this.atStart && !this.loaded ? this.past : this.present;
this.begin(() => kept.forEach((planes, i) => { this.engines[i].drawn = planes; }));
this.whole = whole || (fixed === 0 && !rules);
if (whole) drawn.forEach((event) => this.act(event));
this.past = past;
this.kept = this.applied;
}
get atStart() {
return this.step === this.begun && this.applied === this.kept;
}
get present() {
const { step, events, applied, kept, interval, snapshots, whole, start, begun, loaded } = this;
const story = { events, applied, kept, interval, snapshots, whole, start, begun, loaded };
return { step, story, snapshot: this.snapshot };
}
get canRecall() {
return this.past !== undefined && this.applied === this.kept;
}
recall() {
if (!this.canRecall) return;
const { step, story, snapshot } = this.past;
Object.assign(this, story, { past: undefined });
this.put(snapshot, step);
}
load(snapshot, step) {
const past = this.present;
this.begin(() => this.put(snapshot, step));
Object.assign(this, { whole: false, loaded: true, past });
}
replay(events, settings) {
this.set(settings);
this.begin(() => {});
this.events = events;
this.catchUp();
}
get settings() {
const [{ classIndex, degrees, weight }] = this.engines;
return { classIndex, degrees, weight };
}
set({ classIndex, degrees = 0, weight = 1 }) {
for (const engine of this.engines) {
engine.setClass(classIndex);
engine.turn(degrees);
engine.guide(weight);
}
}
begin(change) {
this.engines.forEach((engine) => engine.reset());
change();
this.start = this.settings;
this.begun = this.step;
this.loaded = false;
this.events = [];
this.applied = 0;
this.past = undefined;
this.kept = 0;
this.interval = SNAPSHOT_EVERY;
this.snapshots = new Map();
this.whole = true;
this.keep();
}
act(event) {
checkEvent(event, this.engines[0].description);
this.events.length = this.applied;
this.events.push({ ...event, step: this.step });
this.apply();
if (this.applied === MOST_EVENTS) this.forget();
}
forget() {
this.events = [];
this.applied = 0;
this.past = undefined;
this.whole = false;
this.snapshots.clear();
this.keep();
}
get runaway() {
return this.engines.find((engine) => engine.runsAway);
}
get first() {
return Math.min(...this.snapshots.keys());
}
get canGoBack() {
return this.step > this.first || this.applied > 0 || this.canRecall;
}
get hasPlanted() {
return this.events.slice(0, this.applied).some(({ kind }) => kind === "plant");
}
advance() {
this.engines.forEach((engine) => engine.step());
this.arrive();
this.catchUp();
}
catchUp() {
while (this.applied < this.events.length && this.events[this.applied].step <= this.step) {
this.apply();
}
}
back() {
if (this.atStart && this.canRecall) return this.recall();
const last = this.events[this.applied - 1];
if (last !== undefined && last.step === this.step) {
this.events.length = this.applied - 1;
return this.seek(this.step);
}
return this.step > this.first ? this.seek(this.step - 1) : undefined;
}
undo() {
const { events } = this;
let [first, until] = [this.applied, this.step - RECENT];
while (first > 0 && events[first - 1].step >= until) {
first -= 1;
until = events[first].step - SAME_STROKE;
}
if (first === this.applied) return this.back();
const { step } = events[first];
events.length = first;
return this.seek(step);
}
seek(step) {
const from = Math.max(...[...this.snapshots.keys()].filter((at) => at <= step));
const snapshot = this.snapshots.get(from);
this.put(snapshot, from);
this.applied = snapshot.before;
this.catchUp();
while (this.step < step) {
this.engines.forEach((engine) => engine.step());
this.catchUp();
}
}
put({ states, maps, planted, settings }, step) {
this.set(settings);
this.engines.forEach((engine, i) => {
engine.ruleMap.set(maps[i]);
engine.restore(states[i], step, planted[i]);
});
}
apply() {
for (const engine of this.engines) applyEvent(engine, this.events[this.applied]);
this.applied += 1;
}
arrive() {
if (this.step % this.interval === 0) this.keep();
}
get snapshot() {
const states = this.engines.map((engine) => engine.state);
const maps = this.engines.map((engine) => engine.ruleMap.slice());
const planted = this.engines.map((engine) => engine.fresh);
return { states, maps, planted, settings: this.settings, before: this.applied };
}
keep() {
const { snapshot } = this;
const { states } = snapshot;
this.snapshots.set(this.step, snapshot);
const bytes = states.reduce((sum, state) => sum + state.byteLength, 0);
if (bytes * this.snapshots.size > MOST_BYTES && this.snapshots.size > 2) {
this.interval *= 2;
const { first } = this;
for (const at of this.snapshots.keys()) {
if (at % this.interval !== 0 && at !== first) this.snapshots.delete(at);
}
}
}
}
function snapshotOf(engine) {
const { state, ruleMap, fresh, cellCount, channels } = engine;
const length = cellCount * channels;
return {
cells: state.slice(0, length),
rest: state.slice(length),
rules: ruleMap.slice(),
planted: fresh.map(({ row, column }) => ({ row, column })),
};
}
function checkSnapshot({ cells, rest = [], rules = [], planted = [], ...moment }, engine) {
const { height, width, channels, cellCount, description } = engine;
checkMoment({ ...moment, events: [] }, description);
const length = cellCount * channels;
expect(cells?.length === length && cells.every(Number.isFinite), "cells", `${cells?.length} numbers`,
`${length} finite ones, ${height} rows of ${width} cells of ${channels} channels`);
const last = (description.rules?.length ?? 1) - 1;
expect(rules.length === 0 || (rules.length === cellCount && rules.every((rule) => rule <= last)),
"rules", `${rules.length} numbers`, `none, or ${cellCount} from 0 to ${last}`);
const inside = ({ row, column }) => [[row, height], [column, width]]
.every(([at, end]) => Number.isInteger(at) && at >= 0 && at < end);
expect(planted.length === 0 || (description.ring && planted.length <= cellCount && planted.every(inside)),
"planted", planted, description.ring ? "cells of the grid" : "no seeds");
expect(engine.fits(rest, moment.step), "what lies beside the cells", `${rest.length} numbers`, "what this automaton keeps there");
}
function withSnapshot({ states: [, ...states], maps: [map, ...maps], planted: [, ...others] }, snapshot) {
const { cells, rest = [], rules = [], planted = [], step, classIndex, degrees, weight } = snapshot;
const state = new Float32Array(cells.length + rest.length);
state.set(cells);
state.set(rest, cells.length);
return {
states: [state, ...states],
maps: [rules.length > 0 ? Uint8Array.from(rules) : map, ...maps],
planted: [planted.map((place) => ({ ...place, step })), ...others],
settings: { classIndex, degrees, weight },
before: 0,
};
}
const CHANGES = new Set(["act", "back", "seek", "reset", "recall", "replay", "setState", "restore"]);
const MESSAGES = new Set([
...CHANGES, "advance", "show", "look", "inspect", "getState", "snapshot", "setFireRate", "recorded", "zoom",
]);
const ZOOMS = [1, 2, 4];
const LOOK_EVERY = { WebGL2: 64, WebAssembly: 8, JavaScript: 8 };
class Simulation {
static async create(descriptions, weights, force) {
let end = 0;
const engines = await Promise.all(descriptions.map((description, i) => {
const start = end;
end = i === descriptions.length - 1 ? weights.length : start + description.weights_bytes;
return createEngine(description, weights.subarray(start, end), force);
}));
for (const engine of engines) engine.targets ??= engines[0].targets;
return new Simulation(engines);
}
constructor(engines) {
this.engines = engines;
this.timeline = new Timeline(engines);
const { beside, film } = engines[0].description;
this.shown = beside ? (film ? "film" : "latents") : "picture";
this.nextFrames = 0;
this.stopped = undefined;
}
handle({ kind, ...values }) {
expect(MESSAGES.has(kind), "message", kind, `one of ${[...MESSAGES].join(", ")}`);
const answer = this[kind](values);
if (this.stopped && CHANGES.has(kind)) this.stopped = this.timeline.runaway;
return answer ?? this.report(kind === "advance" && values.budget > 0);
}
advance({ steps, budget }) {
const { timeline } = this;
const end = performance.now() + budget;
const every = Math.max(...this.engines.map(({ backend }) => LOOK_EVERY[backend]));
let sound = timeline.step;
for (let i = 1; i <= steps && !this.stopped; i++) {
timeline.advance();
const over = i === steps || performance.now() >= end;
if (over || timeline.step % every === 0) {
if (timeline.runaway) this.stopAfter(sound);
sound = timeline.step;
}
if (over) break;
}
}
stopAfter(sound) {
const { timeline } = this;
const seen = timeline.step;
timeline.seek(sound);
do timeline.advance(); while (timeline.step < seen && !timeline.runaway);
this.stopped = timeline.runaway;
}
act({ event }) {
this.timeline.act(event);
}
back() {
if (this.stopped) this.timeline.undo();
else this.timeline.back();
}
seek({ step }) {
const { first, step: now } = this.timeline;
expect(Number.isInteger(step) && step >= first && step <= now,
"step", step, `a whole number from ${first} to ${now}`);
this.timeline.seek(step);
}
reset() {
this.timeline.reset();
}
recall() {
this.timeline.recall();
this.stopped = this.timeline.runaway;
}
replay(moment) {
checkMoment(moment, this.engines[0].description);
this.timeline.replay(moment.events, moment);
}
recorded() {
const { step, events, applied, start, whole } = this.timeline;
return { recorded: whole ? { step, ...start, events: events.slice(0, applied) } : null };
}
show({ shown }) {
this.shown = shown;
}
zoom({ times, x, y }) {
expect(ZOOMS.includes(times), "times", times, `one of ${ZOOMS.join(", ")}`);
expect(Number.isFinite(x) && Number.isFinite(y), "x, y", [x, y], "two numbers, in cells");
for (const engine of this.engines) engine.local?.zoom(engine, times, x, y);
}
look() {}
inspect({ x, y }) {
const cells = this.engines.map((engine) => {
const { cellsToRead, stride, height, width, description: { channels } } = engine;
const i = y * width + x;
const near = (n) => (y + Math.floor(n / 3) - 1 + height) % height * width + (x + n % 3 - 1 + width) % width;
const around = Array.from({ length: 9 }, (_, n) =>
[...cellsToRead.subarray(near(n) * stride, near(n) * stride + channels)]);
return {
values: around[4],
around,
change: engine.changes[i],
rule: engine.ruleMap[i],
};
});
return { cells };
}
getState({ index = 0 }) {
const { state, cellCount, channels } = this.engines[index];
return { state: state.subarray(0, cellCount * channels) };
}
setFireRate({ rate }) {
for (const engine of this.engines) engine.fireRate = rate;
}
setState({ state, index = 0 }) {
const engine = this.engines[index];
const length = engine.cellCount * engine.channels;
if (state.length !== length) {
throw new RangeError(`live figure: a state of ${state.length} numbers; expected ${length}, ` +
`${engine.height} rows of ${engine.width} cells of ${engine.channels} channels`);
}
this.timeline.begin(() => engine.restore(Float32Array.from(state), 0));
this.timeline.whole = false;
}
snapshot() {
return { snapshot: { step: this.timeline.step, ...this.timeline.settings, ...snapshotOf(this.engines[0]) } };
}
restore({ snapshot }) {
checkSnapshot(snapshot, this.engines[0]);
this.timeline.load(withSnapshot(this.timeline.snapshot, snapshot), snapshot.step);
this.stopped = this.timeline.runaway;
}
report(hurried = false) {
const { timeline, engines } = this;
const ballots = engines.map((engine) =>
(engine.description.votes.length === 0 ? null : engine.ballot));
const now = performance.now();
if (!hurried || now >= this.nextFrames) {
this.frames = engines.flatMap((engine, i) =>
(engine.description.beside ? ["picture", this.shown] : [this.shown])
.map((shown) => paint(engine, shown, ballots[i])));
const end = performance.now();
const slow = this.shown === "critic" || engines.some((engine) => engine.decoder);
this.nextFrames = slow ? end + (end - now) / (engines[0].local ? 3 : 1) : 0;
}
return {
step: timeline.step,
...timeline.settings,
backends: engines.map((engine) => engine.backend),
errors: engines.map((engine) => engine.error),
ballots: ballots.map((ballot) => ballot && { counts: ballot.counts, winner: ballot.winner }),
frames: this.nextFrames === 0
? this.frames : this.frames.map(({ data, ...size }) => ({ data: data.slice(), ...size })),
canGoBack: timeline.canGoBack,
canRecall: timeline.canRecall,
hasPlanted: timeline.hasPlanted,
alone: engines[0].reel ? engines[0].scene.next : null,
stopped: this.stopped?.description.title ?? null,
};
}
}
return { Engine, GpuEngine, Simulation, createEngine, decodeBase64, isDevice, rendererName, classColor, colour, MOST_STEPS, MOST_SPEED, checkMoment, wrap };
};
const STYLE = ".nca-player{--nca-surface: #f6f7f8;--nca-raised: #ffffff;--nca-ink: #1b2127;--nca-muted: #55606c;--nca-line: #d3d9df;--nca-edge: #79838e;--nca-accent: #0069a6;--nca-on-accent: #ffffff;--nca-chosen: #e3f0f8;color-scheme: light;}html[data-theme=\"dark\"] .nca-player,html[theme=\"dark\"] .nca-player,[data-jp-theme-light=\"false\"] .nca-player{--nca-surface: #1b2026;--nca-raised: #272e36;--nca-ink: #e9edf1;--nca-muted: #a9b4bf;--nca-line: #3b444e;--nca-edge: #8a95a1;--nca-accent: #62b7ea;--nca-on-accent: #06202f;--nca-chosen: #17394d;color-scheme: dark;}@media (prefers-color-scheme: dark){html:not([data-theme]):not([theme]) body:not([data-jp-theme-light]) .nca-player{--nca-surface: #1b2026;--nca-raised: #272e36;--nca-ink: #e9edf1;--nca-muted: #a9b4bf;--nca-line: #3b444e;--nca-edge: #8a95a1;--nca-accent: #62b7ea;--nca-on-accent: #06202f;--nca-chosen: #17394d;color-scheme: dark;}}figure.nca-figure{margin: 1.5rem auto;max-width: 46rem;scroll-margin-top: 4.5rem;container-type: inline-size;}html[data-theme] .bd-content div.cell_output .text_html:has(figure.nca-figure){padding: 0;background: none;}.nca-player,.nca-player *{box-sizing: border-box;}.nca-player{position: relative;border: 1px solid var(--nca-line);border-radius: 14px;background: var(--nca-surface);color: var(--nca-ink);font-family: inherit;font-size: 0.875rem;line-height: 1.4;overflow: hidden;}.nca-player .nca-body{display: flex;flex-direction: column;}.nca-player .nca-bed{display: flex;align-items: center;justify-content: center;padding: 0.5rem 0.5rem 0;}.nca-player .nca-stage{position: relative;overflow: hidden;border: 1px solid var(--nca-line);border-radius: 8px;background: #ffffff;}.nca-player .nca-pane{width: min(100%,70vh);}.nca-player .nca-caption{margin-top: 0.25rem;font-size: 0.8125rem;text-align: center;}.nca-player canvas{display: block;width: 100%;height: auto;image-rendering: pixelated;touch-action: pan-y pinch-zoom;cursor: none;}.nca-player[data-taken] .nca-stage canvas,.nca-player .nca-stage canvas[data-pen]{touch-action: none;}.nca-player[data-taken] .nca-stage{outline: 3px solid var(--nca-accent);}.nca-player canvas:focus-visible{outline: 3px solid var(--nca-accent);outline-offset: -3px;border-radius: 7px;}.nca-player .nca-cursor{position: absolute;aspect-ratio: 1;translate: -50% -50%;border: 1.5px solid #ffffff;border-radius: 50%;outline: 1.5px solid #1b2127;pointer-events: none;}.nca-player[data-tool=\"square\"] .nca-cursor{border-radius: 0;}.nca-player:is([data-tool=\"half\"],[data-tool=\"seed\"]) .nca-cursor{border-style: dotted;}.nca-player .nca-cursor[hidden]{display: none;}.nca-player .nca-crosshair::before,.nca-player .nca-crosshair::after{content: \"\";position: absolute;inset: calc(50% - 1px) -6px;height: 2px;background: #1b2127;box-shadow: 0 0 0 1px #ffffff;}.nca-player .nca-crosshair::after{rotate: 90deg;}.nca-player .nca-panel{display: flex;flex-direction: column;gap: 0.7rem;min-width: 0;padding: 0.5rem 0.75rem 0.75rem;}.nca-player .nca-readout{display: flex;justify-content: space-between;align-items: baseline;color: var(--nca-muted);font-variant-numeric: tabular-nums;}.nca-player output{display: inline;padding: 0;color: var(--nca-ink);font-weight: 600;}.nca-player .nca-steps{font-size: 1.375rem;line-height: 1;}.nca-player .nca-transport{display: flex;gap: 0.4rem;}.nca-player .nca-transport .nca-button{flex: 1 1 0;}.nca-player .nca-transport .nca-play{flex-grow: 1.6;}.nca-player .nca-button{display: inline-flex;align-items: center;justify-content: center;gap: 0.35rem;min-height: 44px;margin: 0;padding: 0 0.6rem;border: 1px solid var(--nca-edge);border-radius: 10px;background: var(--nca-raised);color: var(--nca-ink);font: inherit;font-weight: 500;cursor: pointer;}.nca-player .nca-transport .nca-button:not(.nca-play){flex-direction: column;gap: 0;padding: 0.15rem;font-size: 0.75rem;}.nca-player .nca-play{border-color: var(--nca-accent);background: var(--nca-accent);color: var(--nca-on-accent);}.nca-player .nca-button[hidden]{display: none;}.nca-player .nca-more[aria-expanded=\"true\"] svg{rotate: 180deg;}.nca-player .nca-button:hover{filter: brightness(0.95);}.nca-player .nca-button[aria-disabled=\"true\"]{color: var(--nca-muted);border-color: var(--nca-line);}.nca-player .nca-button[aria-pressed=\"true\"]{border-color: #c2371f;color: #c2371f;background: #ffffff;}.nca-player .nca-button:active{transform: translateY(1px);}.nca-player .nca-button:focus-visible,.nca-player input[type=\"range\"]:focus-visible,.nca-player select:focus-visible,.nca-player .nca-choice input:focus-visible + .nca-tile{outline: 3px solid var(--nca-accent);outline-offset: 2px;}.nca-player fieldset{min-width: 0;margin: 0;padding: 0;border: 0;}.nca-player legend,.nca-player .nca-slider label{float: none;width: auto;margin: 0 0 0.3rem;padding: 0;color: var(--nca-muted);font: inherit;}.nca-player .nca-choice{position: relative;display: flex;flex: 1 1 0;min-width: 0;margin: 0;cursor: pointer;}.nca-player .nca-tile{display: flex;flex: 1;flex-direction: column;align-items: center;justify-content: center;min-width: 0;min-height: 44px;font-variant-numeric: tabular-nums;}.nca-player :is(.nca-classes,.nca-rules,.nca-inks) .nca-row{display: grid;grid-template-columns: repeat(var(--nca-columns,var(--nca-columns-0)),minmax(0,1fr));gap: 0.25rem;}.nca-player :is(.nca-classes,.nca-rules,.nca-inks) .nca-tile{justify-content: flex-start;gap: 0.15rem;padding: 0.4rem 1px;border: 1px solid var(--nca-line);border-radius: 10px;background: var(--nca-raised);}.nca-player .nca-label{font-family: \"Apple Color Emoji\",\"Segoe UI Emoji\",\"Noto Color Emoji\",sans-serif;font-size: 1.5rem;line-height: 1.2;}.nca-player .nca-name{max-width: 100%;color: var(--nca-muted);font-size: 0.65rem;line-height: 1.2;text-align: center;text-wrap: balance;font-weight: 400;overflow-wrap: break-word;hyphens: auto;}.nca-player .nca-tile:has(.nca-thumb){padding: 3px;}.nca-player canvas.nca-thumb{width: min(100%,2.4rem);border-radius: 6px;touch-action: auto;cursor: inherit;}.nca-player :is(.nca-rules,.nca-inks) .nca-tile,.nca-player .nca-classes .nca-tile:not(:has(.nca-label)){justify-content: center;}.nca-player :is(.nca-rules,.nca-inks) .nca-name{font-size: 0.8rem;}.nca-player:not([data-shown=\"rules\"]) .nca-rules :is(.nca-swatch,.nca-of-map){display: none;}.nca-player .nca-swatch{width: min(2rem,100%);height: 0.65rem;border: 1px solid var(--nca-edge);border-radius: 3px;background: var(--nca-class);forced-color-adjust: none;}.nca-player .nca-hold{display: flex;flex-wrap: wrap;align-items: center;gap: 0.4rem 0.6rem;color: var(--nca-muted);}.nca-player .nca-hold .nca-tools{flex: 1 1 8rem;}.nca-player .nca-hold .nca-tools:has(.nca-choice:nth-child(3)){flex-basis: 16rem;}.nca-player .nca-hold .nca-tools .nca-tile{gap: 0.35rem;flex-direction: row;}.nca-player .nca-hold legend{position: absolute;clip-path: inset(50%);}.nca-player:not([data-touch]) .nca-take,.nca-player[data-touch] .nca-tools ~ .nca-does{display: none;}.nca-player[data-taken] .nca-take{border-color: var(--nca-accent);background: var(--nca-chosen);}.nca-player .nca-take[data-asked]{border-color: var(--nca-accent);background: var(--nca-accent);color: var(--nca-on-accent);}.nca-player :is(.nca-tools,.nca-watching) .nca-row{display: grid;grid-auto-columns: 1fr;grid-auto-flow: column;border: 1px solid var(--nca-line);border-radius: 10px;background: var(--nca-raised);}.nca-player :is(.nca-tools,.nca-watching) .nca-tile{border-radius: 9px;}.nca-player .nca-icon{display: flex;}.nca-player .nca-choice input:checked + .nca-tile{background: var(--nca-chosen);box-shadow: inset 0 0 0 2px var(--nca-accent);font-weight: 600;}.nca-player .nca-choice input:checked + .nca-tile .nca-name{color: var(--nca-ink);}.nca-player .nca-slider{display: grid;grid-template-columns: minmax(3.2rem,max-content) 1fr auto;align-items: center;gap: 0.6rem;}.nca-player .nca-slider label{margin: 0;}.nca-player select{width: 100%;min-width: 0;min-height: 44px;padding: 0 0.5rem;border: 1px solid var(--nca-edge);border-radius: 10px;background: var(--nca-raised);color: var(--nca-ink);font: inherit;}.nca-player .nca-key{display: flex;align-items: center;gap: 0.25rem;font-size: 0.75rem;}.nca-player .nca-key[hidden]{display: none;}.nca-player .nca-ramp{width: 2.5rem;height: 0.75rem;border: 1px solid var(--nca-edge);background: linear-gradient(90deg,#b2182b,#ffffff,#2166ac);}.nca-player input[type=\"range\"]{width: 100%;min-width: 0;height: 44px;margin: 0;border-radius: 10px;accent-color: var(--nca-accent);cursor: pointer;}.nca-player .nca-value{min-width: 3.6rem;text-align: right;font-variant-numeric: tabular-nums;}.nca-player .nca-votes{display: grid;grid-auto-flow: column;grid-auto-columns: 1fr;gap: 2px;margin-top: 0.4rem;color: var(--nca-muted);font-size: 0.75rem;text-align: center;}.nca-player .nca-vote{min-width: 0;overflow: hidden;text-overflow: ellipsis;border-radius: 4px;}.nca-player .nca-vote > span{display: block;height: 2.5rem;border-bottom: 2px solid var(--nca-class);background: linear-gradient(var(--nca-class),var(--nca-class)) bottom / 100% var(--nca-share,0%) no-repeat;}.nca-player .nca-vote[data-winner=\"true\"]{color: var(--nca-ink);font-weight: 700;box-shadow: inset 0 0 0 1px var(--nca-edge);}@media (max-width: 40rem){.nca-player [data-words] .nca-vote{display: flex;flex-direction: column;align-items: center;overflow: visible;font-size: 0.6875rem;}.nca-player [data-words] .nca-vote > span{align-self: stretch;height: 1.25rem;}.nca-player [data-words] .nca-vote:nth-child(even) > span{margin-bottom: 1.5em;}.nca-player [data-words] .nca-vote[data-winner=\"true\"]{box-shadow: none;}.nca-player [data-words] .nca-vote[data-winner=\"true\"] > span{box-shadow: inset 0 0 0 1px var(--nca-edge);}}.nca-player .nca-recovery{display: flex;flex-wrap: wrap;justify-content: center;gap: 0 1ch;height: 1.25rem;overflow: hidden;margin-top: 0.2rem;border-bottom: 2px solid var(--nca-curve,transparent);color: var(--nca-muted);font-size: 0.75rem;font-variant-numeric: tabular-nums;text-align: center;}.nca-player .nca-recovery[hidden]{display: none;}.nca-player.nca-several .nca-recovery{height: 2.35rem;align-content: flex-start;}.nca-player .nca-foot{display: flex;flex-direction: column;gap: 0.6rem;padding: 0.75rem;}.nca-player .nca-curve[hidden]{display: none;}.nca-player .nca-curve-title{color: var(--nca-muted);font-size: 0.8125rem;}.nca-player canvas.nca-chart{height: 8.5rem;cursor: default;touch-action: auto;}.nca-player .nca-last{display: flex;justify-content: space-between;align-items: flex-end;gap: 0.75rem;}.nca-player .nca-read{display: flex;align-items: flex-start;gap: 0.75rem;}.nca-player canvas.nca-lens{flex: none;width: 76px;height: 76px;cursor: default;touch-action: auto;image-rendering: pixelated;}.nca-player canvas.nca-lens[data-empty=\"true\"]{visibility: hidden;}@container (max-width: 30rem){.nca-player .nca-last{flex-direction: column;}}.nca-player .nca-share{display: flex;align-items: center;justify-content: flex-end;gap: 0.4rem;}.nca-player .nca-told{flex: 1;min-width: 7rem;font-weight: 600;text-align: right;}.nca-player .nca-share .nca-button{min-width: 44px;padding: 0;}.nca-player .nca-inspector{min-height: 4.2em;margin: 0 0 0.3rem;font-size: 0.75rem;font-variant-numeric: tabular-nums;}.nca-player .nca-hint{margin: 0;color: var(--nca-muted);font-size: 0.8125rem;}.nca-player .nca-notice{margin: 0.75rem 0.75rem 0;padding: 0.5rem 0.75rem;border: 1px solid var(--nca-edge);border-left-width: 4px;border-radius: 6px;background: var(--nca-raised);font-size: 0.875rem;font-variant-numeric: tabular-nums;}.nca-player .nca-hidden{position: absolute;width: 1px;height: 1px;margin: -1px;overflow: hidden;clip-path: inset(50%);white-space: nowrap;}.nca-player .nca-skip{position: absolute;z-index: 1;top: 0.5rem;left: 0.5rem;}.nca-player .nca-skip:not(:focus){clip-path: inset(50%);}figure.nca-figure > figcaption{margin-top: 0.5rem;}.nca-player .nca-extra{border-top: 1px solid var(--nca-line);}.nca-player .nca-extra[hidden]{display: none;}.nca-player .nca-bench{display: grid;grid-template-columns: minmax(0,1fr);gap: 0.5rem 1.5rem;align-items: end;padding: 0.75rem 0.75rem 0;}.nca-player.nca-several .nca-bed{display: grid;grid-template-columns: repeat(var(--nca-panes),minmax(0,1fr));gap: 0.5rem;align-items: start;}.nca-player.nca-beside .nca-bed{grid-template-columns: repeat(auto-fit,minmax(min(100%,9rem),1fr));justify-items: center;}.nca-player.nca-several .nca-caption:not(.nca-size,:has(+ .nca-size)){min-height: 2.4em;line-height: 1.2;}@container (max-width: 30rem){.nca-player:not(.nca-several) .nca-pane{width: min(100%,36svh);}.nca-player:not(.nca-several) .nca-pane:has(.nca-votes){width: min(100%,30svh);}.nca-player .nca-vote > span{height: 1.75rem;}.nca-player .nca-panel{gap: 0.5rem;}}@container (min-width: 38rem){.nca-player:not(.nca-several) .nca-body{flex-direction: row;}.nca-player:not(.nca-several) .nca-row{--nca-columns: var(--nca-columns-1);}.nca-several .nca-row{--nca-columns: var(--nca-columns-2);}.nca-several .nca-panel{display: grid;grid-template-columns: 1fr 1fr;gap: 0.5rem 1.5rem;align-items: center;}.nca-several .nca-panel > fieldset{grid-row: 1 / span 3;grid-column: 2;}.nca-several .nca-panel > fieldset ~ fieldset{grid-row: auto;}.nca-player.nca-several .nca-recovery{height: 1.25rem;}.nca-player.nca-several .nca-caption:not(.nca-size,:has(+ .nca-size)){min-height: 0;}.nca-player .nca-bench{grid-template-columns: repeat(2,minmax(0,1fr));}.nca-player:not(.nca-several) .nca-bed{flex: 1 1 57%;padding: 0.75rem 0 0.75rem 0.75rem;}.nca-player:not(.nca-several) .nca-panel{flex: 1 1 43%;justify-content: center;}}@media screen{.nca-poster.nca-printed{display: none;}}@media print{.nca-player :is(.nca-panel,.nca-extra,.nca-notice,.nca-cursor,.nca-skip),figure[data-nca-fresh]:has(> .nca-printed) .nca-player,figure:not([data-nca-fresh]) > .nca-printed{display: none;}.nca-player{border: 0;background: none;break-inside: avoid;print-color-adjust: exact;}.nca-player:not(.nca-several) .nca-pane{width: min(100%,9cm);}.nca-player .nca-pane{--nca-ink: #000000;--nca-muted: #000000;color: var(--nca-ink);}}";
const { Engine, GpuEngine, Simulation, createEngine, decodeBase64, isDevice, rendererName, classColor, colour, MOST_STEPS, MOST_SPEED, checkMoment, wrap } = core();
const WORKER = `"use strict";
let simulation;
const { Simulation } = (${core})();
onmessage = async ({ data: { id, message } }) => {
try {
if (message.kind === "create") {
simulation = await Simulation.create(message.descriptions, message.weights);
}
const report = simulation.handle(message.kind === "create" ? { kind: "look" } : message);
postMessage({ id, report }, (report.frames ?? []).map(({ data }) => data.buffer));
} catch (error) {
postMessage({ id, error: error.message });
}
};`;
async function connect(descriptions, weights) {
const link = startWorker() ?? startHere();
try {
return { ...link, first: await link.send({ kind: "create", descriptions, weights }) };
} catch (error) {
link.end();
if (!(error instanceof BlockedError)) throw error;
const here = startHere();
return { ...here, first: await here.send({ kind: "create", descriptions, weights }) };
}
}
class BlockedError extends Error {
constructor() {
super("The figure's worker has ended; load the page again.");
}
}
let policy;
function trusted(url) {
if (globalThis.trustedTypes === undefined) return url;
policy ??= trustedTypes.createPolicy("nca-live", { createScriptURL: (address) => address });
return policy.createScriptURL(url);
}
function startWorker() {
let worker;
const url = URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" }));
try {
worker = new Worker(trusted(url));
} catch {
return null;
} finally {
URL.revokeObjectURL(url);
}
const waiting = new Map();
let sent = 0;
const settle = (id, how, value) => {
waiting.get(id)?.[how](value);
waiting.delete(id);
};
worker.onmessage = ({ data: { id, report, error } }) => {
if (error === undefined) settle(id, "resolve", report);
else settle(id, "reject", new Error(error));
};
worker.onerror = (event) => {
event.preventDefault();
for (const id of [...waiting.keys()]) settle(id, "reject", new BlockedError());
};
return {
inWorker: true,
send: (message) => new Promise((resolve, reject) => {
sent += 1;
waiting.set(sent, { resolve, reject });
worker.postMessage({ id: sent, message });
}),
end: () => worker.terminate(),
};
}
function startHere() {
const { Simulation } = core();
let simulation;
return {
inWorker: false,
send: async (message) => {
if (message.kind === "create") {
simulation = await Simulation.create(message.descriptions, message.weights);
}
return simulation.handle(message.kind === "create" ? { kind: "look" } : message);
},
end: () => { simulation = undefined; },
};
}
const SVG = ["http:", "", "www.w3.org", "2000", "svg"].join("/");
const LINE = {
fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round",
};
const line = (d) => ({ ...LINE, d });
const solid = (d) => ({ fill: "currentColor", d });
const PATHS = {
play: [solid("M8 5.2v13.6a.8.8 0 0 0 1.2.7l11-6.8a.8.8 0 0 0 0-1.4l-11-6.8A.8.8 0 0 0 8 5.2z")],
pause: [solid("M7 5h3.5v14H7zM13.5 5H17v14h-3.5z")],
step: [solid("M6 5.6v12.8a.7.7 0 0 0 1.1.6l8.9-6.4a.7.7 0 0 0 0-1.2L7.1 5a.7.7 0 0 0-1.1.6zM17 5h2v14h-2z")],
back: [solid("M18 5.6v12.8a.7.7 0 0 1-1.1.6L8 12.6a.7.7 0 0 1 0-1.2L16.9 5a.7.7 0 0 1 1.1.6zM5 5h2v14H5z")],
reset: [line("M4.5 5v5h5M5 10a7.5 7.5 0 1 1-.4 4.5")],
circle: [line("M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14z")],
square: [line("M5.5 5.5h13v13h-13z")],
half: [solid("M5 5h7v14H5z"), line("M5 5h14v14H5z")],
cells: [solid("M5 5h4v4H5zM13 5h4v4h-4zM9 10h4v4H9zM16 11h4v4h-4zM4 15h4v4H4zM12 16h4v4h-4z")],
graft: [line("M4 4h10v10H4zM14 10h6v10H10v-6")],
noise: [line("M3 12h2l2-6 3 13 3-15 3 12 2-4h3")],
seed: [line("M12 5v14M5 12h14")],
draw: [line("M4 20l1-4.5L15.5 5 19 8.5 8.5 19 4 20zM13.5 7l3.5 3.5")],
wipe: [line("M8.5 19L4 14.5 13.5 5l6 6-8 8h-3zM8.5 10l6 6M8.5 19H20")],
throw: [line("M4 20c2-8 6-12 14-13M13 3.5l5.5 3.5-4 5")],
paint: [line("M12 4c3.5 4 5 6.6 5 9a5 5 0 0 1-10 0c0-2.4 1.5-5 5-9zM9.5 13.5a2.5 2.5 0 0 0 2.5 2.5")],
picture: [line("M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9.5h.01")],
undo: [line("M9 5L4.5 9.5 9 14M5 9.5h8.5a5 5 0 0 1 0 10H9")],
more: [line("M6 9.5l6 6 6-6")],
take: [line("M9 11V5.5a1.5 1.5 0 0 1 3 0V10l5 1.2a2 2 0 0 1 1.5 2.3L17.5 19h-7L6 13.5a1.4 1.4 0 0 1 2-2L9 12.5")],
done: [line("M5 12.5l4.5 4.5L19 7.5")],
film: [line("M4 6h11v12H4zM15 10.5l5-3v9l-5-3")],
link: [line("M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1")],
};
function svg(tag, attributes, ...children) {
const element = document.createElementNS(SVG, tag);
for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
element.append(...children);
return element;
}
const icon = (name) => svg("svg",
{ viewBox: "0 0 24 24", width: 20, height: 20, "aria-hidden": true, focusable: false },
...PATHS[name].map((attributes) => svg("path", attributes)));
const TILE = 48;
const SEAM = 4;
const LENS = 3 * TILE + 2 * SEAM;
function drawLens(canvas, around) {
const context = canvas.getContext("2d");
context.clearRect(0, 0, LENS, LENS);
around.forEach((values, i) => {
const [left, top] = [i % 3, Math.floor(i / 3)].map((place) => place * (TILE + SEAM));
const columns = Math.ceil(Math.sqrt(values.length));
const side = TILE / columns;
values.forEach((value, k) => {
context.fillStyle = `rgb(${colour(value).slice(0, 3)})`;
const [x, y] = [k % columns, Math.floor(k / columns)].map((n) => Math.round(n * side));
const [right, bottom] = [k % columns + 1, Math.floor(k / columns) + 1].map((n) => Math.round(n * side));
context.fillRect(left + x, top + y, right - x, bottom - y);
});
});
}
function wordsOf({ values, change, rule }, { decoder, film, fixed, visible, channels, votes, rules }) {
const round = (value) => value.toFixed(2).replace("-", "−");
const names = decoder || film || votes.length ? [] : ["r", "g", "b", "α"].slice(0, visible);
const first = channels - votes.length;
const name = (i) => {
if (i < fixed) return `input ${i}:`;
if (i >= first) return `vote for ${votes[i - first].name}:`;
const kind = visible === 0 || i >= fixed + visible ? "hidden" : film ? "told" : "latent";
return names[i - fixed] ?? `${kind} ${i}:`;
};
const each = values.map((value, i) => `${name(i)} ${round(value)}`).join(", ");
const obeys = rules ? `rule ${rules[rule]}, ` : "";
return `${obeys}${each}, last change ${round(change)}`;
}
function make(tag, attributes = {}, ...children) {
const element = document.createElement(tag);
for (const [name, value] of Object.entries(attributes)) {
if (value !== undefined) element.setAttribute(name, value);
}
element.append(...children);
return element;
}
function makeButton(name, label, { bare = false } = {}) {
const button = make("button", { type: "button", class: `nca-button nca-${name}` });
if (bare) {
button.append(icon(name));
button.setAttribute("aria-label", label);
button.title = label;
} else {
setButton(button, name, label);
}
return button;
}
function setButton(button, name, label) {
button.replaceChildren(icon(name), make("span", {}, label));
}
function balanced(count, most) {
if (count <= most) return count;
const empty = (columns) => Math.ceil(count / columns) * columns - count;
const wide = Array.from({ length: Math.ceil(most / 2) }, (_, i) => most - i);
return wide.reduce((best, columns) => (empty(columns) < empty(best) ? columns : best));
}
function makeRadios(kind, legend, options, id, most = []) {
const inputs = options.map(({ name, checked }, value) => {
const input = make("input", {
type: "radio", class: "nca-hidden", name: `${id}-${kind}`, value, "aria-label": name,
});
input.checked = checked;
return input;
});
const choices = options.map(({ content, name }, i) => {
const tile = make("span", { class: "nca-tile", title: name }, ...content);
return make("label", { class: "nca-choice" }, inputs[i], tile);
});
const row = make("div", { class: "nca-row" }, ...choices);
most.forEach((fits, i) =>
row.style.setProperty(`--nca-columns-${i}`, balanced(options.length, fits)));
return { inputs, group: make("fieldset", { class: `nca-${kind}` }, make("legend", {}, legend), row) };
}
function makeSlider(id, label, { min, max, start, step = 1 }, say) {
const slider = make("input", { type: "range", id, min, max, step, value: start });
const value = make("span", { class: "nca-value", "aria-hidden": "true" });
const update = () => {
const [text, words] = say(Number(slider.value));
value.textContent = text;
slider.setAttribute("aria-valuetext", words);
};
slider.addEventListener("input", update);
slider.addEventListener("nca-shown", update);
update();
return { slider, row: make("div", { class: "nca-slider" }, make("label", { for: id }, label), slider, value) };
}
const SHARE_OF_CELLS = 0.3;
const NOISE = 0.3;
const DRAWN = new Set(["graft", "circle", "square", "cells", "noise", "draw", "wipe", "paint"]);
const TOOLS = [
{ tool: "circle", name: "Erase a disc", does: "Drag to erase", word: "Erase" },
{ tool: "square", name: "Erase a square", does: "Drag to erase squares" },
{ tool: "half", name: "Erase half of the grid", does: "Press to erase half" },
{ tool: "cells", name: "Erase cells at random", does: "Drag to erase cells at random" },
{ tool: "noise", name: "Add noise", does: "Drag to add noise" },
{ tool: "seed", name: "Plant a seed", does: "Press to plant a seed" },
];
const INPUT_TOOLS = [
{ tool: "draw", name: "Draw on the input", does: "Drag to draw", word: "Draw" },
{ tool: "wipe", name: "Wipe the input", does: "Drag to wipe", word: "Wipe" },
];
const THROW = { tool: "throw", name: "Throw a digit", does: "Drag and let go to throw a digit", word: "Throw" };
const WALLS = [
{ tool: "draw", name: "Draw a wall", does: "Drag to draw a wall", word: "Wall" },
{ tool: "wipe", name: "Take walls away", does: "Drag to take walls away" },
];
const PAINT = {
tool: "paint", name: "Paint with the chosen ink", does: "Drag to paint", word: "Paint",
};
const GRAFT = { tool: "graft", name: "Graft the chosen rule", does: "Drag to graft", word: "Graft" };
const toolsOf = ({ rules, inks, fixed, decoder, erased, film }, grows) => [
...(rules ? [GRAFT] : []), ...(inks ? [PAINT] : []),
...(fixed > 0 && !decoder && !erased && !film ? INPUT_TOOLS : []),
...(film?.throws[1] ? [THROW] : []), ...(film?.walls ? WALLS.slice(0, 1) : []), ...TOOLS,
...(film?.walls ? WALLS.slice(1) : []),
].filter(({ tool }) => tool !== "seed" || grows);
function nearOf(tools) {
const own = tools.findIndex(({ tool }) => tool === "circle");
if (own === 0) return 0;
return tools[0].tool === "throw" ? own + 1 : Math.max(2, own);
}
const drawsLines = (tool) => DRAWN.has(tool);
function toolEvent(tool, place, { salt, ink, rule }) {
const where = { ...place, shape: "circle" };
return {
circle: { kind: "erase", ...where },
square: { kind: "erase", ...where, shape: "square" },
half: { kind: "erase", ...where, shape: "half" },
cells: { kind: "erase", ...where, share: SHARE_OF_CELLS, salt },
draw: { kind: "draw", ...where, value: 1 },
paint: { kind: "paint", ...where, ink },
wipe: { kind: "draw", ...where, value: 0 },
graft: { kind: "graft", ...where, rule },
noise: { kind: "disturb", ...where, sigma: NOISE, salt },
}[tool];
}
const FASTEST = 1e6;
const SPEEDS = [
["⅛×", 3.75], ["¼×", 7.5], ["½×", 15], ["1×", 30], ["2×", 60], ["4×", 120], ["8×", 240],
["max", FASTEST],
].map(([label, stepsPerSecond]) => ({ label, stepsPerSecond }));
const NORMAL_SPEED = 3;
const BRUSH = { min: 1, max: 10, start: 4 };
const TURN = { min: 0, max: 345, step: 15 };
const GUIDANCE = { min: 0, max: 20, start: 10 };
const FILM_BRUSH = 8;
const FILM_RATE = 8;
const filmSpeed = ({ steps }) => SPEEDS.findIndex(({ stepsPerSecond }) => stepsPerSecond >= FILM_RATE * steps);
const PEN = 1;
function makeChannels(id, description) {
const { beside, codes, critic, fixed, visible, decoder, votes, film } = description;
const first = description.channels - votes.length;
const options = film && beside ? [["film", "the true film"]] : beside ? [] : [["picture", decoder ? "decoded picture" : votes.length ? "votes" : "picture"]];
if (decoder) options.push(["latents", "latents in colours"]);
if (codes) options.push(["codes", "the nearest code"]);
if (votes.length) options.push(["disagreement", "cells that disagree"]);
else if (!decoder && !film && visible > 3) options.push(["alpha", "alpha: what lives"]);
if (critic) options.push(["critic", "the critic's opinion"]);
if (description.rules) options.push(["rules", "which rule where"]);
options.push(["changes", "size of the last change"], ["fired", "cells that fired"]);
const select = make("select", { id },
...options.map(([value, text]) => make("option", { value }, text)));
for (let channel = 0; channel < description.channels; channel++) {
const isVisible = channel >= fixed && channel < fixed + visible;
if (isVisible && !decoder && !film) continue;
const kind = channel < fixed ? "input" : isVisible ? (film ? "told" : "latent") : "hidden";
const text = channel < first ? `${kind} channel ${channel}` : `vote for ${votes[channel - first].name}`;
select.append(make("option", { value: channel }, text));
}
const key = make("span", { class: "nca-key", hidden: "" },
make("span", {}, "−1"), make("span", { class: "nca-ramp" }), make("span", {}, "1"));
return { select, key, row: make("div", { class: "nca-slider" }, make("label", { for: id }, beside ? "Beside" : "Show"), select, key) };
}
function makeSizes(id, { sizes, height, width }) {
if (!sizes) return null;
const select = make("select", { id }, ...sizes.map(([h, w], value) =>
make("option", { value }, `${w} × ${h} cells`)));
select.value = sizes.findIndex(([h, w]) => h === height && w === width);
return { select, row: make("div", { class: "nca-slider" }, make("label", { for: id }, "Canvas"), select) };
}
function makeSliders(id, { votes, turns, free, film }) {
const start = votes.length > 0 ? PEN : film ? Math.ceil(FILM_BRUSH / film.patch) : BRUSH.start;
const size = makeSlider(`${id}-brush`, "Size", { ...BRUSH, start },
(cells) => [`${cells} cell${cells > 1 ? "s" : ""}`, `radius ${cells} cell${cells > 1 ? "s" : ""}`]);
const speed = makeSlider(`${id}-speed`, "Speed",
{ min: 0, max: SPEEDS.length - 1, start: film ? filmSpeed(film) : NORMAL_SPEED },
(i) => [SPEEDS[i].label, SPEEDS[i].stepsPerSecond < FASTEST
? `${SPEEDS[i].stepsPerSecond} steps per second` : "as fast as this device can"]);
const turn = turns === undefined ? null : makeSlider(`${id}-turn`, "Turn", { ...TURN, start: turns },
(degrees) => [`${degrees}°`, `field of perception turned clockwise by ${degrees} degrees`]);
const guide = free === undefined ? null : makeSlider(`${id}-guide`, "Guidance", GUIDANCE,
(tenths) => [`w = ${tenths / 10}`, `guidance ${tenths / 10}; 1 is none`]);
return { size, speed, turn, guide };
}
function makeFoot(id, descriptions, grows) {
const save = makeButton("picture", "Save the picture", { bare: true });
const film = makeButton("film", "Record a film", { bare: true });
const share = makeButton("link", "Copy a link to this moment", { bare: true });
const told = make("span", { class: "nca-told", "aria-hidden": "true" });
const inspector = make("p", { class: "nca-inspector" });
const lens = make("canvas", {
class: "nca-lens", width: LENS, height: LENS, "aria-hidden": "true", "data-empty": "true",
title: "The cell and its neighbours, a square for each channel: blue above 0, red below",
});
const hint = make("p", { class: "nca-hint", id: `${id}-hint` },
`Drag to use the brush${grows ? ", double-tap to plant a seed" : ""}. With the grid focused: arrow ` +
`keys move, E uses the brush, ${grows ? "S plants a seed, " : ""}I reads the cell.`);
const chart = make("canvas", { class: "nca-chart", role: "img", "aria-label": "No curve yet" });
const curve = make("div", { class: "nca-curve" },
make("div", { class: "nca-curve-title" }, "Error against the target, over steps"), chart);
curve.hidden = descriptions.every(({ targets }) => targets === null);
const foot = make("div", { class: "nca-foot" }, curve,
make("div", { class: "nca-last" }, make("div", { class: "nca-read" }, lens, make("div", {}, inspector, hint)),
make("div", { class: "nca-share" }, told, save, film, share)));
return { foot, save, film, share, told, inspector, lens, chart };
}
function makeExtra(id, descriptions, tools, grows) {
const [description] = descriptions;
const back = makeButton("back", "Back");
const step = makeButton("step", "Step");
const radios = makeRadios("tools", tools[0].checked ? "Brush" : "Other brushes", tools.map(({ tool, name, checked }) => ({
name, checked, content: [make("span", { class: "nca-icon" }, icon(tool))],
})), id);
radios.group.style.setProperty("--nca-tools", tools.length);
const { size, speed, turn, guide } = makeSliders(id, description);
const channels = makeChannels(`${id}-show`, description);
const sizes = makeSizes(`${id}-size`, description);
const { foot, ...parts } = makeFoot(id, descriptions, grows);
const bench = make("div", { class: "nca-bench" },
make("div", { class: "nca-transport" }, back, step), radios.group, size.row, speed.row,
...[turn, guide, channels, sizes].flatMap((part) => part?.row ?? []));
const box = make("div", { class: "nca-extra", id: `${id}-extra` }, bench, foot);
return {
...parts, box, back, step, tools: radios.inputs, size: size.slider, speed: speed.slider,
turn: turn?.slider, guide: guide?.slider, canvasSize: sizes?.select, channel: channels.select, key: channels.key,
};
}
const STEPS = 2;
const timesOf = (value) => 2 ** value;
const makeZoom = (id, { decoder }) => (decoder?.kind !== "local" ? null
: makeSlider(`${id}-zoom`, "Zoom", { min: 0, max: STEPS, start: 0 },
(value) => [`${timesOf(value)}×`, `${timesOf(value)} times`]));
const wholeWindow = ({ height, width }) => ({ top: 0, left: 0, height, width });
const cellIn = (window, right, down) => ({
x: window.left + right * window.width - 0.5,
y: window.top + down * window.height - 0.5,
});
const cellNear = (window, { x, y }, { height, width }) => {
const within = (at, first, cells) =>
Math.min(Math.ceil(first + cells) - 1, Math.max(Math.floor(first), Math.round(at)));
return {
x: wrap(within(x, window.left, window.width), width),
y: wrap(within(y, window.top, window.height), height),
};
};
const onGrid = ({ x, y }, { height, width }) =>
({ x: wrap(x + 0.5, width) - 0.5, y: wrap(y + 0.5, height) - 0.5 });
const shareOf = (window, { x, y }, { height, width }) => ({
right: wrap(x + 0.5 - window.left, width) / window.width,
down: wrap(y + 0.5 - window.top, height) / window.height,
});
function resolution({ rows, columns, height, width }, grid) {
const [wide, high] = [columns * grid.width / width, rows * grid.height / height]
.map((pixels) => Math.round(pixels).toLocaleString("en"));
return height < grid.height ? `a window of ${wide} × ${high}` : `${wide} × ${high} pixels`;
}
class Zoom {
constructor(player) {
const { slider, grid } = { slider: player.view.zoom, grid: player.view.grid };
this.player = player;
this.slider = slider;
this.place = { x: grid.width >> 1, y: grid.height >> 1 };
this.under = false;
this.again = false;
slider?.addEventListener("input", () => this.aim(true));
}
touch(place, shown) {
this.place = place;
if (shown && this.slider && this.slider.value !== "0") this.aim(false);
}
async aim(aloud) {
this.again = this.under;
if (this.under) return;
this.under = true;
try {
do {
this.again = false;
await this.player.ask({ kind: "zoom", times: timesOf(Number(this.slider.value)), ...this.place });
} while (this.again && !this.player.ended);
} finally {
this.under = false;
}
if (aloud) this.player.say(`Zoom: ${this.player.view.resolutions[0].textContent}`);
}
}
const FRAMES = 5;
const LEAST = 0.5;
const makeWatching = (id, { film }) => (film
? makeRadios("watching", "It sees", ["The film", "Its own frames"].map((name, i) => ({ checked: i === 0, content: [name] })), id)
: { inputs: [] });
function throwEvent({ film: { patch, speed, throws: [, count] } }, from, to, salt) {
const tap = Math.hypot(to.x - from.x, to.y - from.y) < LEAST;
const pixels = (way) => Math.max(-MOST_SPEED, Math.min(MOST_SPEED, Math.round(100 * way) / 100));
const [right, down] = tap ? [pixels(speed * Math.SQRT1_2), pixels(speed * Math.SQRT1_2)]
: [to.x - from.x, to.y - from.y].map((cells) => pixels(cells * patch / FRAMES));
const [x, y] = [from.x, from.y].map((v) => Math.round(10 * v) / 10);
return { kind: "throw", digit: salt % count, x, y, right, down };
}
const MOST = { classes: [6, 6, 11], rules: [4, 3, 8], inks: [4, 3, 8] };
const WORDS = 14;
const MOST_PANES = 4;
const MOST_BARS = 20;
let figures = 0;
const legendOf = ({ inputs, votes, seeds, film }) =>
(film ? "Film" : votes.length > 0 ? "Input" : seeds ? "Seed" : inputs === null ? "Grow into" : "Draw");
function classOptions({ classes, class_index: first, inputs }) {
return classes.map(({ label, name, color }, i) => {
const checked = i === first;
if (inputs !== null) {
return { checked, name, content: [make("canvas", { class: "nca-thumb", "aria-hidden": "true" })] };
}
const words = make("span", { class: "nca-name" }, name);
const sign = make("span", { class: "nca-label", "aria-hidden": "true" }, label);
const swatch = color ? [makeSwatch(color.map((part) => Math.round(255 * part)))] : [];
return { checked, content: [...swatch, ...(label === name ? [words] : [sign, words])] };
});
}
const makeSwatch = (color) => {
const swatch = make("span", { class: "nca-swatch", "aria-hidden": "true" });
swatch.style.setProperty("--nca-class", `rgb(${color})`);
return swatch;
};
function makeRules(names, id) {
const options = names.map((name, i) => (
{ checked: i === 1, content: [makeSwatch(classColor(i)), make("span", { class: "nca-name" }, name)] }));
const { inputs, group } = makeRadios("rules", "Rule to graft", options, id, MOST.rules);
group.querySelector("legend").append(
make("span", { class: "nca-of-map" }, ", with its colour on the map"));
return { inputs, group };
}
function makeInks(inks, id) {
const options = inks.map(({ name, color }, i) => {
const swatch = makeSwatch(color.map((value) => Math.round(255 * value)));
return { checked: i === 0, content: [swatch, make("span", { class: "nca-name" }, name)] };
});
return makeRadios("inks", "Ink", options, id, MOST.inks);
}
function makeNear(tools, id) {
if (tools.length === 0) return { inputs: [] };
return makeRadios("tools", "Brush", tools.map(({ tool, name, word, checked }) => ({
name, checked, content: [make("span", { class: "nca-icon" }, icon(tool)), word],
})), id);
}
function makeVotes({ votes }) {
const bars = votes.length > MOST_BARS ? [] : votes.map(({ label }, k) => {
const bar = make("div", { class: "nca-vote" }, make("span", {}), label);
bar.style.setProperty("--nca-class", `rgb(${classColor(k)})`);
return bar;
});
const row = make("div", { class: "nca-votes", role: "img", "aria-label": "No votes yet" }, ...bars);
row.toggleAttribute("data-words", votes.some(({ label }) => label.length > 2));
return { bars, row };
}
function makePane(description, id, caption, measured) {
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
const recovery = make("div", { class: "nca-recovery" }, make("span", {}), make("span", {}));
recovery.hidden = !measured;
const votes = makeVotes(description);
const size = make("div", { class: "nca-caption nca-size", "aria-hidden": "true" });
const below = [...(description.decoder?.kind === "local" || description.film ? [size] : []), ...(description.votes.length ? [votes.row] : [])];
const pane = make("div", { class: "nca-pane" }, stage, ...words, ...below, recovery);
return { canvas, cursor, recovery, votes, size, pane };
}
function makePanes(description, id, title, measured) {
const { alt, width, height, beside, film } = description;
if (!beside) return [makePane(description, id, title, measured)];
const [first, second] = description.film ? ["Predicted", "True film"] : ["Decoded picture", "Latents"];
const [picture, latents] = [first, second].map((words) =>
(title === undefined ? words : `${title}: ${words.toLowerCase()}`));
const [under, other] = film
? ["", "The true film, as it goes on."]
: [" A stroke here erases the latents that lie under it.", `The ${width} by ${height} cells that the picture is ` +
"decoded from, in colours. A stroke here erases cells."];
return [
makePane({ ...description, alt: `${alt}${under}` }, id, picture, measured),
makePane({ ...description, decoder: null, votes: [], alt: other }, id, latents, measured),
];
}
function makeReadout() {
const steps = make("output", { class: "nca-steps", "aria-live": "off" }, "0");
const rate = make("output", { class: "nca-rate", "aria-live": "off" }, "0");
const readout = make("div", { class: "nca-readout" },
make("span", {}, "step ", steps), make("span", {}, rate, " steps/s"));
return { steps, rate, readout };
}
function makeSkip() {
const end = make("span", { class: "nca-end", tabindex: -1 });
const skip = make("button", { type: "button", class: "nca-button nca-skip" }, "Skip the figure");
skip.addEventListener("click", () => end.focus());
return { skip, end };
}
function takeOver(from, to) {
for (const name of ["size", "speed", "channel"]) {
to[name].value = from[name].value;
to[name].dispatchEvent(new Event("input"));
}
for (const name of ["tools", "rules", "inks"]) {
from[name].forEach(({ checked }, i) => { to[name][i].checked = checked; });
}
setOpen(to, !from.extra.hidden);
}
function setOpen({ more, extra }, open) {
extra.hidden = !open;
more.setAttribute("aria-expanded", String(open));
}
let sheet = null;
function addStyle(element) {
const root = element.getRootNode();
const place = root instanceof ShadowRoot ? root : document;
if (place.adoptedStyleSheets === undefined) return addStyleElement(root);
if (sheet === null) {
sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);
}
if (!place.adoptedStyleSheets.includes(sheet)) place.adoptedStyleSheets = [...place.adoptedStyleSheets, sheet];
}
function addStyleElement(root) {
const place = root instanceof ShadowRoot ? root : document.head;
if (!place.querySelector("style[data-nca-live]")) place.append(make("style", { "data-nca-live": "" }, STYLE));
}
function spread(bed, count) {
const rows = Math.ceil(count / MOST_PANES);
bed.style.setProperty("--nca-panes", Math.ceil(count / rows));
}
function makePanel(description, id, near, readout) {
const play = makeButton("play", "Play");
const reset = makeButton("reset", "Reset");
const undo = makeButton("undo", "Undo");
undo.hidden = true;
undo.setAttribute("aria-label", "Undo the reset");
const more = makeButton("more", "More");
more.setAttribute("aria-controls", `${id}-extra`);
const options = classOptions(description);
const words = options.some(({ content }) => content.length === 1 && content[0].textContent.length > WORDS);
const classes = options.length > 1
? makeRadios("classes", legendOf(description), options, id, words ? MOST.rules : MOST.classes) : { inputs: [] };
const rules = description.rules ? makeRules(description.rules, id) : { inputs: [] };
const inks = description.inks ? makeInks(description.inks, id) : { inputs: [] };
const tools = makeNear(near, id);
const zoom = makeZoom(id, description);
const watching = makeWatching(id, description);
const take = makeButton("take", "Use the brush");
const does = make("span", { class: "nca-does" });
const hold = make("div", { class: "nca-hold" }, take, ...(tools.group ? [tools.group] : []), does);
const panel = make("div", { class: "nca-panel" }, readout,
make("div", { class: "nca-transport" }, play, reset, undo, more),
...[classes, watching, rules, inks].flatMap(({ group }) => group ?? []), ...(zoom ? [zoom.row] : []), hold);
return {
panel, play, reset, undo, more, take, does, near: tools.inputs, classes: classes.inputs, rules: rules.inputs,
inks: inks.inputs, watching: watching.inputs, zoom: zoom?.slider,
};
}
function buildView(element, descriptions) {
addStyle(element);
const id = `nca-${++figures}`;
const [description] = descriptions;
const several = descriptions.length > 1;
const measured = descriptions.some(({ targets }) => targets !== null);
const ofEach = descriptions.map((d) => makePanes(d, id, several ? d.title : undefined, measured));
const panes = ofEach.flat();
const bed = make("div", { class: "nca-bed" }, ...panes.map(({ pane }) => pane));
spread(bed, panes.length);
const { steps, rate, readout } = makeReadout();
const grows = description.votes.length === 0 && description.start === null && !description.fill;
const offered = toolsOf(description, grows).map((tool, i) => ({ ...tool, checked: i === 0 }));
const { panel, near, ...parts } = makePanel(description, id, offered.slice(0, nearOf(offered)), readout);
const { box: extra, tools, ...others } = makeExtra(id, descriptions, offered.slice(nearOf(offered)), grows);
const notice = make("p", { class: "nca-notice", hidden: "" });
const status = make("p", { class: "nca-hidden", role: "status" });
const { skip, end } = makeSkip();
const root = make("div", {
class: ["nca-player", ...(panes.length > 1 ? ["nca-several"] : []),
...(description.beside ? ["nca-beside"] : [])].join(" "), role: "group",
"aria-label": several ? "Live automata, side by side" : `Live automaton: ${description.title}`,
"data-lm-suppress-shortcuts": "true",
}, skip, make("div", { class: "nca-body" }, bed, panel), notice, extra, status, end);
element.prepend(root);
const view = {
...parts, ...others, root, bed, extra, grid: description, steps, rate, status, notice,
canvases: panes.map(({ canvas }) => canvas), cursors: panes.map(({ cursor }) => cursor),
resolutions: panes.map(({ size }) => size), windows: panes.map(() => wholeWindow(description)),
recoveries: ofEach.map(([{ recovery }]) => recovery), votes: ofEach.map(([{ votes }]) => votes),
automata: ofEach.flatMap((own, i) => own.map(() => i)),
tools: [...near, ...tools], brushes: offered,
};
setOpen(view, description.more === true);
return view;
}
const SHARPEST = 38;
function drawThumbs({ classes }, { inputs, fixed, height, width, classes: named }, weights) {
if (inputs === null) return;
const length = height * width * fixed;
classes.forEach((input, i) => {
const canvas = input.nextElementSibling.querySelector(".nca-thumb");
const bytes = weights.subarray(inputs + i * length, inputs + (i + 1) * length);
if (canvas === null || bytes.length < length) return;
if (bytes.every((value) => value === 0)) {
canvas.replaceWith(make("span", { class: "nca-name", "aria-hidden": "true" }, named[i].name));
return;
}
Object.assign(canvas, { width, height });
if (width > SHARPEST) canvas.style.imageRendering = "auto";
const pixels = new Uint8ClampedArray(4 * height * width).fill(255);
for (let cell = 0; cell < height * width; cell++) {
for (let k = 0; k < 3; k++) {
pixels[4 * cell + k] = fixed === 3 ? bytes[3 * cell + k] : 255 - bytes[fixed * cell];
}
}
canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
});
}
function showVotes({ row, bars }, { counts, winner }, votes) {
const total = Math.max(1, counts.reduce((a, b) => a + b));
const percents = counts.map((count) => Math.round(100 * count / total));
bars.forEach((bar, k) => {
bar.style.setProperty("--nca-share", `${100 * counts[k] / total}%`);
bar.dataset.winner = String(k === winner);
});
const cast = percents.map((percent, k) => ({ percent, name: votes[k].name }))
.filter(({ percent }) => percent > 0).sort((a, b) => b.percent - a.percent);
const words = cast.map(({ percent, name }) => `${name} ${percent} %`).join(", ") || "none";
row.setAttribute("aria-label", `Votes: ${words}`);
if (bars.length === 0) row.textContent = words.split(", ").slice(0, 3).join(", ");
}
const MOST_POINTS = 4000;
const SAME_HARM = 12;
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a95a1", "#a6761d"];
const MOST_MARKS = 500;
const [LEAST_ERROR, MOST_ERROR] = [1e-6, 1e6];
const MARGIN = { left: 46, right: 8, top: 8, bottom: 20 };
class Chart {
constructor(canvas, names) {
Object.assign(this, { canvas, names, points: [], marks: [], kept: null });
}
keep() {
this.kept = { points: [...this.points], marks: [...this.marks] };
}
begin() {
this.keep();
Object.assign(this, { points: [], marks: [] });
}
recall() {
Object.assign(this, this.kept, { kept: null });
}
add(step, given) {
const errors = given.map((error) => (Number.isFinite(error) ? error : null));
while (this.points.length > 0 && this.points.at(-1).step >= step) this.points.pop();
this.marks = this.marks.filter((mark) => mark.step <= step);
this.points.push({ step, errors });
if (this.points.length > MOST_POINTS) this.points = this.points.filter((_, i) => i % 2 === 0);
}
mark(step, before, after) {
const last = this.marks.at(-1);
if (last !== undefined && step - last.until <= SAME_HARM && step >= last.until) {
Object.assign(last, { until: step, after });
} else {
this.marks.push({ step, until: step, before, after });
if (this.marks.length > MOST_MARKS) this.marks.shift();
}
}
recoveries() {
const { marks, points } = this;
if (marks.length === 0 || points.length === 0) return this.names.map(() => null);
const { before, after } = marks.at(-1);
return points.at(-1).errors.map((now, i) => {
const harm = after[i] - before[i];
return now === null || !Number.isFinite(harm) || harm <= 0.02 * before[i] ? null : 100 * (after[i] - now) / harm;
});
}
draw() {
const { canvas, points } = this;
const box = canvas.getBoundingClientRect();
if (box.width === 0 || points.length === 0) return;
const ratio = devicePixelRatio || 1;
const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
const context = canvas.getContext("2d");
context.setTransform(ratio, 0, 0, ratio, 0, 0);
context.clearRect(0, 0, box.width, box.height);
const style = getComputedStyle(canvas);
this.plot(context, box, style.getPropertyValue("--nca-muted"), style.getPropertyValue("--nca-line"));
}
plot(context, box, ink, line) {
const { points, marks } = this;
const all = points.flatMap(({ errors }) => errors.filter((e) => e > 0));
const decade = (e) => Math.log10(Math.min(MOST_ERROR, Math.max(e, LEAST_ERROR)));
const low = Math.floor(decade(Math.min(...all, 0.01)));
const high = Math.max(low + 1, Math.ceil(decade(Math.max(...all, 1e-5))));
const first = points[0].step;
const last = Math.max(first + 60, points.at(-1).step);
const right = box.width - MARGIN.right;
const bottom = box.height - MARGIN.bottom;
const x = (step) => MARGIN.left + (step - first) / (last - first) * (right - MARGIN.left);
const y = (e) => MARGIN.top + (high - decade(e)) / (high - low) * (bottom - MARGIN.top);
const stroke = (color, draw, thick = 1, dash = []) => {
context.strokeStyle = color;
context.lineWidth = thick;
context.setLineDash(dash);
context.beginPath();
draw();
context.stroke();
};
context.font = "11px sans-serif";
context.fillStyle = ink;
context.textBaseline = "middle";
context.textAlign = "right";
for (let power = low; power <= high; power++) {
stroke(line, () => {
context.moveTo(MARGIN.left, y(10 ** power));
context.lineTo(right, y(10 ** power));
});
context.fillText(String(Number((10 ** power).toPrecision(1))), MARGIN.left - 6, y(10 ** power));
}
context.textBaseline = "alphabetic";
context.textAlign = "left";
context.fillText(`step ${first}`, MARGIN.left, box.height - 5);
context.textAlign = "right";
context.fillText(String(last), right, box.height - 5);
for (const { step } of marks) {
stroke(ink, () => { context.moveTo(x(step), MARGIN.top); context.lineTo(x(step), bottom); }, 1, [3, 3]);
}
this.names.forEach((_, i) => stroke(COLORS[i % COLORS.length], () => {
for (const { step, errors } of points) {
if (errors[i] !== null) context.lineTo(x(step), y(errors[i]));
}
}, 1.75));
}
describe() {
const { points, names } = this;
if (points.length === 0) return "No curve yet";
const { step, errors } = points.at(-1);
const said = this.recoveries();
const each = names.map((name, i) => `${names.length > 1 ? `${name}: ` : ""}error ${
errors[i] === null ? "unknown" : errors[i].toPrecision(2)}${
said[i] === null ? "" : `, ${said[i].toFixed(0)} % recovered`}`);
return `At step ${step}: ${each.join("; ")}`;
}
}
const curveColor = (index) => COLORS[index % COLORS.length];
const KEY = "nca";
const MOST_CHARACTERS = 1e6;
const MOST_BYTES = 2 ** 23;
async function through(bytes, stream, most = Infinity) {
const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
const parts = [];
let length = 0;
for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
parts.push(value);
length += value.length;
if (length > most) throw new RangeError(`more than ${most} bytes`);
}
return new Uint8Array(await new Blob(parts).arrayBuffer());
}
async function momentLink(moment) {
const json = new TextEncoder().encode(JSON.stringify(moment));
const packed = await through(json, new CompressionStream("deflate-raw"));
if (packed.length > MOST_CHARACTERS / 2) return null;
const text = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(""))
.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
return `${location.href.split("#")[0]}#${KEY}=${text}`;
}
const told = () => new URLSearchParams(location.hash.slice(1)).get(KEY);
const tellsOfMoment = () => told() !== null;
async function momentOf(index) {
if (!tellsOfMoment()) return null;
const moment = await unfold(told()).catch(() => null);
const known = Number.isInteger(moment?.figure) && moment.figure >= 0;
const count = allFigures().length;
if (index === 0 && !known) throw new Error("it was cut off, or changed on its way");
if (index === 0 && moment.figure >= count) {
throw new Error(`it tells of figure ${moment.figure + 1}, and this page has ${count}`);
}
return known && moment.figure === index ? moment : null;
}
async function unfold(text) {
const packed = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")),
(character) => character.charCodeAt(0));
const json = await through(packed, new DecompressionStream("deflate-raw"), MOST_BYTES);
return JSON.parse(new TextDecoder().decode(json));
}
const allFigures = () => [...document.querySelectorAll("figure.nca-figure")];
const SCALE = 8;
const GAP = 8;
const TOLD = 6000;
const FILM_TYPES = ["video/webm", "video/mp4"];
function poster(canvases, grid, target = document.createElement("canvas")) {
const [width, height] = [grid.width * SCALE, grid.height * SCALE];
const wide = canvases.length * (width + GAP) - GAP;
if (target.width !== wide) Object.assign(target, { width: wide, height });
const context = target.getContext("2d");
context.imageSmoothingEnabled = false;
canvases.forEach((canvas, i) => context.drawImage(canvas, i * (width + GAP), 0, width, height));
return target;
}
function download(blob, name) {
const link = document.createElement("a");
link.href = URL.createObjectURL(blob);
link.download = name;
link.click();
setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
function startFilm(canvases, grid) {
const type = globalThis.MediaRecorder && FILM_TYPES.find((t) => MediaRecorder.isTypeSupported(t));
if (!type) return null;
const target = poster(canvases, grid);
const recorder = new MediaRecorder(target.captureStream(30), { mimeType: type });
const parts = [];
recorder.ondataavailable = ({ data }) => parts.push(data);
recorder.start();
return {
draw: () => poster(canvases, grid, target),
stop: () => new Promise((resolve) => {
recorder.onstop = () => resolve({ blob: new Blob(parts, { type }), extension: type.split("/")[1] });
recorder.stop();
}),
};
}
class Takeaway {
constructor(player) {
const { view, descriptions: [grid] } = player;
Object.assign(this, { player, view, grid, film: null });
view.save.addEventListener("click", () => this.savePicture());
view.film.addEventListener("click", () => this.toggleFilm());
view.share.addEventListener("click", () => this.copyLink());
}
say(text) {
const { told } = this.view;
this.player.say(text);
told.textContent = text;
clearTimeout(this.telling);
this.telling = setTimeout(() => { told.textContent = ""; }, TOLD);
}
savePicture() {
const { step } = this.player.last;
poster(this.view.canvases, this.grid).toBlob((blob) => download(blob, `nca-step-${step}.png`));
this.say("Picture saved");
}
async toggleFilm() {
const { view } = this;
if (this.film === null) {
this.film = startFilm(view.canvases, this.grid);
this.say(this.film ? "Recording; press again to stop" : "This browser cannot record films");
view.film.setAttribute("aria-pressed", String(this.film !== null));
return;
}
const { film } = this;
this.film = null;
const { blob, extension } = await film.stop();
view.film.setAttribute("aria-pressed", "false");
download(blob, `nca.${extension}`);
this.say("Film saved");
}
async copyLink() {
const { view, player } = this;
const figure = allFigures().indexOf(view.root.closest("figure.nca-figure"));
if (figure < 0) return this.say("Only a page has links to its moments");
const { recorded } = await player.ask({ kind: "recorded" });
const canvas = view.canvasSize && Number(view.canvasSize.value);
const link = recorded && recorded.step <= MOST_STEPS && await momentLink({ figure, canvas, ...recorded });
if (!link) return this.say("Too much has happened for a link; after a reset there will be one");
try {
await navigator.clipboard.writeText(link);
return this.say("Link copied");
} catch {
history.replaceState(null, "", link);
return this.say("The link is in the address bar");
}
}
draw() {
this.film?.draw();
}
end() {
clearTimeout(this.telling);
this.film?.stop();
}
}
const ASKED = 1200;
class Hold {
constructor(view, say) {
Object.assign(this, { view, say, taken: false });
view.take.addEventListener("click", () => {
this.set(!this.taken);
say(this.taken ? "The brush is yours; swipes over the grid no longer scroll" : "Swipes scroll again");
});
view.tools.forEach((input, i) => input.addEventListener("change", () => this.choose(i)));
if (matchMedia("(pointer: coarse)").matches) this.touch();
this.choose(0);
}
touch() {
if (this.view.root.dataset.touch !== undefined) return;
this.view.root.dataset.touch = "";
this.show();
}
ask() {
this.touch();
const { dataset } = this.view.take;
dataset.asked = "";
setTimeout(() => delete dataset.asked, ASKED);
}
choose(index) {
this.view.root.dataset.tool = this.view.brushes[index].tool;
this.show();
}
set(taken) {
if (taken === this.taken) return;
this.taken = taken;
this.show();
}
show() {
const { view: { root, take, does, brushes }, taken } = this;
root.toggleAttribute("data-taken", taken);
setButton(take, taken ? "done" : "take", taken ? "Done" : "Use the brush");
const scrolls = root.dataset.touch !== undefined && !taken;
does.textContent = scrolls ? "A swipe scrolls" : brushes.find(({ tool }) => tool === root.dataset.tool).does;
}
}
const DOUBLE_TAP = { milliseconds: 350, pixels: 24 };
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LEAP = 5;
function connectBrush({ canvases, cursors, size, windows, grid }, act, hold) {
const { width, height } = grid;
const radius = () => Number(size.value);
const keyboard = { x: width >> 1, y: height >> 1 };
const off = new AbortController();
const listen = (target, type, action) =>
target.addEventListener(type, action, { signal: off.signal, passive: false });
const cellAt = (event) => {
const box = event.target.getBoundingClientRect();
return cellIn(windowOf(event), (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
};
const windowOf = ({ target }) => windows[canvases.indexOf(target)];
const nearest = (event) => cellNear(windowOf(event), cellAt(event), grid);
const use = (place) => {
const zoomed = windows.some((window) => window.width < width);
const { x, y } = zoomed ? onGrid(place, grid) : place;
act.touch({ x, y }, false);
act.use(x, y);
};
const showCursor = (place, crosshair) => {
cursors.forEach((cursor, pane) => {
const window = windows[pane];
const zoomed = window.width < width;
const { right, down } = zoomed ? shareOf(window, place, grid)
: { right: (place.x + 0.5) / width, down: (place.y + 0.5) / height };
cursor.hidden = zoomed && (right > 1 || down > 1);
cursor.classList.toggle("nca-crosshair", crosshair);
cursor.style.left = `${right * 100}%`;
cursor.style.top = `${down * 100}%`;
cursor.style.width = `${(2 * radius() + 1) / window.width * 100}%`;
});
};
const hideCursor = () => cursors.forEach((cursor) => { cursor.hidden = true; });
const drawLine = (from, to) => {
const length = Math.hypot(to.x - from.x, to.y - from.y);
const pieces = Math.max(1, Math.ceil(length / radius()));
for (let i = 1; i <= pieces; i++) {
const t = i / pieces;
use({ x: from.x + t * (to.x - from.x), y: from.y + t * (to.y - from.y) });
}
};
const isDoubleTap = (event, before) => before !== null &&
event.timeStamp - before.timeStamp < DOUBLE_TAP.milliseconds &&
Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) < DOUBLE_TAP.pixels;
const scrolls = ({ pointerType }) => pointerType === "touch" && !hold.taken;
let last = null;
let tap = null;
for (const canvas of canvases) {
listen(canvas, "pointerdown", (event) => {
if (event.pointerType === "touch") hold.touch();
if (event.button !== 0 || scrolls(event)) return;
canvas.setPointerCapture(event.pointerId);
const here = cellAt(event);
if (act.plants() && isDoubleTap(event, tap)) {
const { x, y } = nearest(event);
act.plant(x, y);
tap = null;
return;
}
tap = event;
last = here;
if (!act.throws()) use(here);
showCursor(here, false);
});
listen(canvas, "pointermove", (event) => {
if (scrolls(event)) return;
const here = cellAt(event);
showCursor(here, false);
const { x, y } = nearest(event);
act.read(x, y, canvases.indexOf(canvas));
if (last === null || !act.draws()) return;
drawLine(last, here);
last = here;
});
const release = () => {
last = null;
};
listen(canvas, "pointerup", (event) => {
if (scrolls(event)) hold.ask();
if (last !== null && act.throws()) act.throw(last, cellAt(event));
release();
});
listen(canvas, "pointercancel", release);
listen(canvas, "pointerenter", ({ pointerType }) => canvas.toggleAttribute("data-pen", pointerType === "pen"));
listen(canvas, "touchstart", (event) => {
if ([...event.touches].some(({ touchType }) => touchType === "stylus")) event.preventDefault();
});
listen(canvas, "pointerleave", () => { if (last === null) hideCursor(); });
listen(canvas, "focus", () => {
if (canvas.matches(":focus-visible")) showCursor(keyboard, true);
});
listen(canvas, "blur", hideCursor);
listen(canvas, "nca-window", () => {
if (cursors[0].classList.contains("nca-crosshair") && canvas.matches(":focus-visible")) showCursor(keyboard, true);
});
listen(canvas, "keydown", (event) => {
if (event.ctrlKey || event.metaKey || event.altKey) return;
const where = `column ${keyboard.x + 1}, row ${keyboard.y + 1}`;
const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
if (key in MOVES) {
const leap = event.shiftKey ? LEAP : 1;
keyboard.x = (keyboard.x + leap * MOVES[key][0] + width) % width;
keyboard.y = (keyboard.y + leap * MOVES[key][1] + height) % height;
} else if (key === "e" || key === " ") {
use(keyboard);
act.say(`Brush used at ${where}`);
} else if (key === "s") {
act.plant(keyboard.x, keyboard.y);
} else if (key === "i") {
act.read(keyboard.x, keyboard.y, canvases.indexOf(canvas), true);
} else {
return;
}
event.preventDefault();
act.touch({ ...keyboard }, true);
showCursor(keyboard, true);
});
}
return () => off.abort();
}
const STEP_BUDGET = 12;
const RATE_WINDOW = 500;
const MOST_AT_ONCE = 10000;
class Clock {
constructor(player) {
this.player = player;
this.frame = 0;
this.busy = false;
}
get stepsPerSecond() {
return SPEEDS[this.player.view.speed.value].stepsPerSecond;
}
schedule() {
const { player } = this;
const runs = player.playing && player.inView;
if (runs && this.frame === 0) {
this.due = 0;
this.lastFrame = performance.now();
this.measured = { since: this.lastFrame, step: player.last.step };
this.frame = requestAnimationFrame((now) => this.tick(now));
} else if (!runs && this.frame !== 0) {
cancelAnimationFrame(this.frame);
this.frame = 0;
player.view.rate.textContent = "0";
}
}
tick(now) {
const elapsed = Math.max(0, now - this.lastFrame);
this.lastFrame = now;
this.due = Math.min(this.due + elapsed / 1000 * this.stepsPerSecond, MOST_AT_ONCE);
if (this.due >= 1 && !this.busy) this.advance(Math.floor(this.due));
this.measure(now);
this.frame = requestAnimationFrame((later) => this.tick(later));
}
async advance(steps) {
this.busy = true;
try {
await this.player.ask({ kind: "advance", steps, budget: STEP_BUDGET });
} catch {
this.player.setPlaying(false, false);
} finally {
this.busy = false;
}
this.due = Math.min(this.due - steps, 1);
}
measure(now) {
const { measured, player } = this;
const elapsed = now - measured.since;
if (elapsed < RATE_WINDOW) return;
const { step } = player.last;
player.view.rate.textContent = Math.max(0, Math.round(1000 * (step - measured.step) / elapsed));
player.tell({ steps: step });
this.measured = { since: now, step };
}
}
const CHART_EVERY = 120;
class Display {
constructor(view, descriptions) {
Object.assign(this, { view, descriptions });
this.contexts = view.canvases.map((canvas) => canvas.getContext("2d"));
this.chart = new Chart(view.chart, descriptions.map(({ title }) => title));
this.chartDrawn = 0;
this.lives = false;
}
say(text) {
this.view.status.textContent = text;
}
notify(text, aloud = true) {
const { notice } = this.view;
notice.textContent = text;
notice.hidden = text === "";
if (aloud && text !== "") this.say(text);
}
show(report, settled) {
const { view } = this;
report.frames.forEach(({ data, width, height, window, words }, i) => {
const canvas = view.canvases[i];
this.frame(window, i, words);
if (canvas.width !== width) Object.assign(canvas, { width, height });
this.contexts[i].putImageData(new ImageData(data, width, height), 0, 0);
});
view.steps.textContent = report.step;
if (!this.lives && report.step > 0) {
this.lives = true;
view.steps.dispatchEvent(new Event("nca-lives", { bubbles: true }));
}
view.rate.parentElement.title = `by ${report.backends.join(", ")}`;
view.back.setAttribute("aria-disabled", String(!report.canGoBack));
if (view.undo.hidden === report.canRecall) view.undo.hidden = !report.canRecall;
const chosen = view.classes[report.classIndex];
if (chosen !== undefined) chosen.checked = true;
for (const [slider, value] of [[view.turn, report.degrees], [view.guide, Math.round(10 * report.weight)]]) {
if (!slider || !settled || value === Number(slider.value)) continue;
slider.value = value;
slider.dispatchEvent(new Event("nca-shown"));
}
if (view.watching.length > 0) view.watching[Number(report.alone)].checked = true;
report.ballots.forEach((ballot, i) =>
ballot && showVotes(view.votes[i], ballot, this.descriptions[i].votes));
}
frame(window, pane, words) {
const { windows, resolutions, canvases, grid } = this.view;
resolutions[pane].textContent = window ? resolution(window, grid) : words ?? `${grid.width} × ${grid.height} cells`;
windows[pane] = window ?? wholeWindow(grid);
canvases[pane].dispatchEvent(new Event("nca-window"));
}
addErrors(report, atOnce) {
this.chart.add(report.step, report.errors);
const now = performance.now();
if (now - this.chartDrawn > CHART_EVERY || atOnce) {
this.chartDrawn = now;
this.drawCurve(report);
}
}
drawCurve({ errors }) {
const { view, chart } = this;
chart.draw();
view.chart.setAttribute("aria-label", chart.describe());
chart.recoveries().forEach((percent, i) => {
const error = errors[i];
const [now, back] = view.recoveries[i].children;
now.textContent = error === null ? "" : `error ${error.toPrecision(2)}`;
back.textContent = percent === null ? "" : `${percent.toFixed(0).replace("-", "−")} % back`;
view.recoveries[i].style.setProperty("--nca-curve", curveColor(i));
});
}
showCell(cell, automaton, x, y, aloud) {
drawLens(this.view.lens, cell.around);
this.view.lens.dataset.empty = "false";
const text = `Column ${x + 1}, row ${y + 1}: ${wordsOf(cell, this.descriptions[automaton])}`;
this.view.inspector.textContent = text;
if (aloud) this.say(text);
}
}
const TRAVEL_BUDGET = 40;
const MOST_VISIBLE = 0.3;
const chosen = (inputs) => inputs.findIndex(({ checked }) => checked);
class Player {
constructor(element, descriptions, link, report) {
Object.assign(this, { element, descriptions, link, report });
this.view = buildView(element, descriptions);
this.display = new Display(this.view, descriptions);
this.chart = this.display.chart;
this.playing = false;
this.inView = false;
this.clock = new Clock(this);
this.reading = false;
this.salt = 0;
this.setting = 0;
this.journey = null;
this.fireRate = descriptions[0].fire_rate;
this.canvas = Number(this.view.canvasSize?.value);
this.last = null;
this.connect();
this.draw(link.first);
}
connect() {
const { view } = this;
const click = (button, action) => button.addEventListener("click", action);
click(view.play, () => this.setPlaying(!this.playing && this.journey === null, true));
click(view.step, () => this.stepOnce());
click(view.back, () => this.stepBack());
click(view.reset, () => this.reset());
click(view.undo, () => this.recall());
click(view.more, () => {
setOpen(view, view.extra.hidden);
if (!view.extra.hidden) this.display.drawCurve(this.last);
});
this.takeaway = new Takeaway(this);
view.watching.forEach((input, alone) => input.addEventListener("change", () =>
this.act({ kind: "watch", alone: Boolean(alone) })));
view.classes.forEach((input, index) =>
input.addEventListener("change", () => this.setClass(index)));
view.channel.addEventListener("change", () => this.show(view.channel.value));
view.turn?.addEventListener("input", () => this.set({ kind: "turn", degrees: Number(view.turn.value) }));
view.guide?.addEventListener("input", () => this.set({ kind: "guide", weight: Number(view.guide.value) / 10 }));
view.canvases.forEach((canvas) =>
canvas.addEventListener("contextrestored", () => this.ask({ kind: "look" })));
this.zoom = new Zoom(this);
this.hold = new Hold(view, (text) => this.say(text));
this.disconnectBrush = connectBrush(view, {
use: (x, y) => this.useBrush(x, y),
draws: () => drawsLines(this.tool),
throws: () => this.tool === "throw",
throw: (from, to) => this.act(throwEvent(this.descriptions[0], from, to, this.salt++)),
plants: () => this.plants,
plant: (x, y) => this.plant(x, y),
read: (x, y, pane, aloud) => this.read(x, y, pane, aloud),
touch: (place, shown) => this.zoom.touch(place, shown),
say: (text) => this.say(text),
}, this.hold);
this.observer = new IntersectionObserver((entries) => {
this.inView = entries[entries.length - 1].isIntersecting;
if (!this.inView) this.hold.set(false);
this.clock.schedule();
}, { threshold: MOST_VISIBLE });
this.observer.observe(view.bed);
}
get plants() {
return this.view.brushes.some(({ tool }) => tool === "seed");
}
get tool() {
return this.view.root.dataset.tool;
}
say(text) {
this.display.say(text);
}
notify(text, aloud = true) {
this.display.notify(text, aloud);
}
tell(changes) {
this.report?.(changes);
}
async send(message) {
try {
return await this.link.send(message);
} catch (error) {
if (!this.ended) this.notify(error.message);
throw error;
}
}
async ask(message) {
const answer = await this.send(message);
if (!this.ended && answer.frames !== undefined) this.draw(answer);
return answer;
}
setPlaying(playing, aloud) {
this.halt();
this.playing = playing;
setButton(this.view.play, playing ? "pause" : "play", playing ? "Pause" : "Play");
if (aloud && playing) this.say("Playing");
this.tell({ steps: this.last.step, playing });
this.clock.schedule();
if (!playing) this.settle(aloud);
}
async settle(aloud) {
await this.ask({ kind: "look" });
if (aloud && !this.playing && !this.ended) this.say(`Paused at step ${this.last.step}`);
}
halt() {
if (this.journey === null) return;
this.journey = null;
this.notify("");
setButton(this.view.play, "play", "Play");
}
rest() {
this.halt();
if (this.playing) this.setPlaying(false, false);
}
async stepOnce() {
this.rest();
await this.ask({ kind: "advance", steps: 1, budget: 0 });
this.sayWhere();
}
async stepBack() {
this.rest();
await this.ask({ kind: "back" });
this.sayWhere();
}
sayWhere() {
const votes = this.view.votes.map(({ row }) => row.getAttribute("aria-label"));
const curve = this.last.errors.some((error) => error !== null) ? [this.chart.describe()] : [];
this.say([`Step ${this.last.step}.`, ...curve, ...votes].join(" "));
this.tell({ steps: this.last.step });
}
async reset() {
this.halt();
this.notify("");
this.chart.keep();
this.view.undo.setAttribute("aria-label", "Undo the reset");
await this.ask({ kind: "reset" });
this.say(this.plants ? "Reset to a single seed cell" : "Reset to the start");
this.tell({ steps: 0 });
}
async snapshot() {
const { snapshot } = await this.link.send({ kind: "snapshot" });
return snapshot;
}
async restore(snapshot) {
const { playing } = this;
this.rest();
let report;
try {
report = await this.link.send({ kind: "restore", snapshot });
} catch (error) {
if (playing && !this.ended) this.setPlaying(true, false);
throw error;
}
if (this.ended) return;
this.notify("");
this.chart.begin();
this.view.undo.setAttribute("aria-label", "Undo the load");
this.draw(report);
this.tell({ steps: report.step, classIndex: report.classIndex, events: [] });
}
async recall() {
const { undo, reset } = this.view;
this.rest();
if (undo.matches(":focus")) reset.focus();
this.chart.recall();
await this.ask({ kind: "recall" });
this.sayWhere();
}
async setClass(index) {
const { classes, inputs, seeds, film } = this.descriptions[0];
const chosen = Boolean(seeds) && this.last.hasPlanted;
await this.act({ kind: chosen ? "choose" : "mutate", index });
const now = chosen ? "To be planted:" : film ? "A new film:" : seeds ? "A new seed, of" : inputs === null ? "Now growing into" : "Now reading";
this.say(`${now} ${classes[index].name}`);
this.tell({ classIndex: index });
}
async set(event) {
this.setting += 1;
await this.act(event);
this.setting -= 1;
}
setFireRate(rate) {
this.fireRate = rate;
return this.ask({ kind: "setFireRate", rate });
}
async plant(x, y) {
if (!this.plants) return;
await this.act({ kind: "plant", x, y });
this.say(`Seed planted at column ${x + 1}, row ${y + 1}`);
}
useBrush(column, row) {
const { tool } = this;
const [x, y] = [column, row].map((v) => Math.round(10 * v) / 10);
if (tool === "seed") return this.plant(Math.round(column), Math.round(row));
this.salt += 1;
if (tool === "throw") return this.act(throwEvent(this.descriptions[0], { x, y }, { x, y }, this.salt));
return this.act(toolEvent(tool, { x, y, size: Number(this.view.size.value) }, {
salt: this.salt, ink: chosen(this.view.inks), rule: chosen(this.view.rules),
}));
}
async act(event) {
this.halt();
const report = await this.send({ kind: "act", event });
if (this.ended) return;
this.chart.mark(report.step, this.last.errors, report.errors);
this.draw(report);
if (this.report === null) return;
const { recorded } = await this.send({ kind: "recorded" });
this.tell({ steps: report.step, events: recorded?.events ?? [] });
}
show(shown) {
const { key } = this.view;
key.hidden = ["picture", "film", "latents", "codes", "fired", "rules"].includes(shown);
[key.firstChild.textContent, key.lastChild.textContent] = shown === "critic" ? ["made", "real"] : ["−1", "1"];
this.view.root.dataset.shown = shown;
const channel = Number(shown);
return this.ask({ kind: "show", shown: Number.isNaN(channel) ? shown : channel });
}
async read(x, y, pane, aloud = false) {
if ((this.reading || this.view.extra.hidden) && !aloud) return;
this.reading = true;
const { cells } = await this.send({ kind: "inspect", x, y });
this.reading = false;
if (this.ended) return;
const automaton = this.view.automata[pane];
this.display.showCell(cells[automaton], automaton, x, y, aloud);
}
draw(report) {
this.last = report;
this.element.toggleAttribute("data-nca-fresh", report.step === 0 && !report.canGoBack);
this.display.show(report, this.setting === 0);
this.takeaway.draw();
this.heed(report);
this.display.addErrors(report, !this.playing);
}
heed({ stopped, step }) {
const { dataset } = this.view.notice;
if (stopped !== null) {
if (this.playing) this.setPlaying(false, false);
this.halt();
const who = this.descriptions.length > 1 ? `${stopped}: ` : "";
if (dataset.step === String(step)) return;
dataset.step = step;
this.notify(`${who}Stopped at step ${step}: the automaton's numbers grow beyond all bounds. ` +
"Back undoes what was done last, Reset begins again.");
} else if (dataset.step !== undefined) {
delete dataset.step;
this.notify("");
}
}
async goTo({ step, classIndex, degrees, weight, events }) {
const journey = {};
this.journey = journey;
setButton(this.view.play, "pause", "Pause");
const [there, budget] = [step.toLocaleString("en"), this.link.inWorker ? TRAVEL_BUDGET : STEP_BUDGET];
await this.ask({ kind: "replay", step, events, classIndex, degrees, weight });
for (let rounds = 0; this.journey === journey && this.last.step < step; rounds++) {
if (rounds > 0) {
const here = this.last.step.toLocaleString("en");
this.notify(`On the way to step ${there}: step ${here}. Pause or Reset stops it.`, rounds === 1);
}
await this.ask({ kind: "advance", steps: step - this.last.step, budget });
}
if (this.ended) return false;
const arrived = this.journey === journey;
this.halt();
await this.ask({ kind: "look" });
if (arrived) this.say(`Step ${step}, as in the link`);
return arrived;
}
destroy() {
this.ended = true;
this.takeaway.end();
this.journey = null;
this.playing = false;
this.clock.schedule();
this.observer.disconnect();
this.disconnectBrush();
this.link.end();
this.view.root.remove();
}
}
async function begin(element, descriptions, weights, report) {
const link = await connect(descriptions, weights);
const player = new Player(element, descriptions, link, report);
drawThumbs(player.view, descriptions[0], weights);
player.resize = (index) => resize(player, weights, index);
player.view.canvasSize?.addEventListener("change", () => player.resize(Number(player.view.canvasSize.value)));
return player;
}
const onCanvas = (descriptions, index) => descriptions.map((d) => {
const [height, width] = d.sizes?.[index] ?? [d.height, d.width];
const alt = d.alt.replace(`${d.width} by ${d.height} cells`, `${width} by ${height} cells`);
return { ...d, height, width, alt };
});
async function resize(old, weights, index) {
const { element, report, view, last } = old;
view.canvasSize.value = index;
const held = view.canvasSize.matches(":focus");
const descriptions = onCanvas(old.descriptions, index)
.map((d) => ({ ...d, class_index: last.classIndex, fire_rate: old.fireRate }))
.map((d) => (d.turns === undefined ? d : { ...d, turns: last.degrees }));
const isChosen = () => Number(view.canvasSize.value) === index;
let player;
try {
player = await begin(element, descriptions, weights, report);
} catch (error) {
if (isChosen()) view.canvasSize.value = old.canvas;
return old.notify(error.message);
}
if (old.ended || !isChosen()) return player.destroy();
takeOver(view, player.view);
player.canvas = index;
player.hold.choose(view.tools.findIndex(({ checked }) => checked));
if (view.root.dataset.touch !== undefined) player.hold.touch();
const { playing } = old;
old.destroy();
element.ncaPlayer = player;
if (held) player.view.canvasSize.focus();
player.show(player.view.channel.value);
player.setPlaying(playing, false);
player.tell({ steps: 0, events: [] });
return player.say(`A canvas of ${descriptions[0].width} by ${descriptions[0].height} cells`);
}
async function lookUp(element, descriptions) {
try {
const moment = await momentOf(allFigures().indexOf(element));
if (moment !== null) checkMoment(moment, descriptions[0]);
return { moment, wrong: null };
} catch (error) {
return { moment: null, wrong: error.message.replace("live figure: ", "") };
}
}
function lead(element) {
const show = () => element.scrollIntoView({ block: "start" });
history.scrollRestoration = "manual";
if (document.readyState !== "complete") addEventListener("load", show, { once: true });
show();
}
function explain(element, error) {
const message = document.createElement("p");
message.setAttribute("role", "alert");
message.textContent = error.message;
element.prepend(message);
}
async function mount(element, descriptions, weights, report = null) {
try {
if (!Array.isArray(descriptions) || descriptions.length === 0) {
throw new Error("live figure: no automaton is described; expected a list of descriptions");
}
const { moment, wrong } = await lookUp(element, descriptions);
const grids = moment === null ? descriptions : onCanvas(descriptions, moment.canvas);
const player = await begin(element, grids, weights, report);
element.querySelector(":scope > .nca-poster")?.classList.add("nca-printed");
if (wrong !== null) player.notify(`The link cannot be shown: ${wrong}. This is the start.`);
if (moment !== null) lead(element);
const there = moment === null || await player.goTo(moment);
if (there && !matchMedia("(prefers-reduced-motion: reduce)").matches) player.setPlaying(true, false);
if (!player.ended) element.ncaPlayer = player;
return player;
} catch (error) {
explain(element, error);
throw error;
}
}
